// What an answer leaves out: null where a figure isn't known, undefined where there is no such figure.

export const isNothing = (value) => value === null || value === undefined;
