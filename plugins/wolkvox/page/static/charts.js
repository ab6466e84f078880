// Records and lags by hour and day, as pictures with a table of the same figures below each.
import { address } from "./address.js";
import { ceiling, labelled, labelStep, lagRange, lagTicks, stacked, WHOLE_STEPS } from "./chart-data.js";
import { $, element } from "./dom.js";
import { dayLabel, duration, hourLabel, number, tick } from "./formats.js";
import { isNothing } from "./nothing.js";
import { localDay } from "./ranges.js";
import { fill } from "./table.js";
import { say } from "./texts.js";

const BARS = ["coded", "refused", "failed"];
const LINES = ["lag_p50", "lag_p95"];
const CHARTS = [
  { id: "hours-lag", span: "hours", kind: "lag" },
  { id: "days-lag", span: "days", kind: "lag" },
  { id: "hours-records", span: "hours", kind: "records" },
  { id: "days-records", span: "days", kind: "records" },
  { id: "hours-waiting", span: "hours", kind: "waiting" },
  { id: "days-waiting", span: "days", kind: "waiting" },
];
const KINDS = {
  lag: { names: LINES, format: duration, draw: lines },
  records: { names: BARS, format: number, draw: bars },
  waiting: { names: ["waiting"], format: number, draw: area },
};
const FONT = "12px system-ui";
const GAP = 12; // pixels between two labels
const HEIGHT = 220; // pixels
const plots = new Map();
const measure = document.createElement("canvas").getContext("2d");

const widthOf = (text) => {
  measure.font = FONT;
  return measure.measureText(text).width;
};
const label = (span, start, zone) => (span === "hours" ? hourLabel(start) : dayLabel(start, zone));
const named = (name) => say(name === "from" ? "column.from" : `chart.${name}`);

function frame({ id, kind }) {
  const title = say(`chart.${id.replace("-", "_")}`);
  const names = kind === "lag" ? [...LINES, "target"] : KINDS[kind].names;
  const keys = names.map((name) => element("li", {}, element("span", { class: `key-${name}` }), named(name)));
  const table = element("table", { id: `${id}-figures` });
  return element(
    "figure",
    { id },
    element("figcaption", {}, element("h3", {}, title)),
    element("ul", { class: "keys" }, ...keys),
    element("div", { class: "plot", role: "img", "aria-label": say("chart.in_table", { title }) }),
    element("p", { class: "pointed", "aria-hidden": "true" }),
    element(
      "details",
      {},
      element("summary", {}, say("chart.figures")),
      element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, table),
    ),
  );
}

/** Without pictures: the next ones are drawn in the reader's new language. */
export function forgetCharts() {
  for (const plot of plots.values()) plot.destroy();
  plots.clear();
  $("charts").replaceChildren();
}

export function drawCharts(overview) {
  if (!$("charts").firstChild) $("charts").append(...CHARTS.map(frame));
  for (const chart of CHARTS) {
    const { names, format } = KINDS[chart.kind];
    const series = overview[chart.span];
    const labels = series.starts.map((start) => label(chart.span, start, overview.zone));
    fill(`${chart.id}-figures`, figureColumns(names, format, series, labels), [...labels.keys()].reverse(), named);
    plots.get(chart.id)?.destroy();
    plots.set(chart.id, plot(chart, { ...series, target: overview.lag_target }, labels));
    if (chart.span === "days") openOnClick(chart, series, overview.zone);
  }
}

const figureColumns = (names, format, series, labels) => [
  { name: "from", kind: "nowrap", cell: (place) => labels[place] },
  ...names.map((name) => ({ name, kind: "number", cell: (place) => format(series[name][place]) })),
];

function plot({ id, kind }, series, labels) {
  const figure = $(id);
  const place = figure.querySelector(".plot");
  const width = Math.max(200, place.clientWidth);
  const look = looks(figure);
  const drawn = KINDS[kind].draw(series, look);
  const options = {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    hooks: { setCursor: [({ cursor }) => point(figure, kind, series, labels, cursor.idx)] },
    scales: { x: { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] }, ...drawn.scales },
    axes: [labelAxis(labels, width - 64 - GAP, look.axis), ...drawn.axes],
    series: [{}, ...drawn.series],
  };
  return new uPlot(options, [[...labels.keys()], ...drawn.data], place);
}

// Colours are the style sheet's, which a canvas doesn't know.
function looks(figure) {
  const grid = { stroke: getComputedStyle($("tiles").firstChild).borderTopColor, width: 1 };
  const stroke = getComputedStyle(document.querySelector(".keys")).color;
  const size = (_, values) => Math.max(40, ...(values ?? []).map((text) => widthOf(text) + 16));
  return {
    axis: { stroke, grid, ticks: grid, font: FONT },
    size,
    color: (name) => getComputedStyle(figure.querySelector(`.key-${name}`)).backgroundColor,
  };
}

function labelAxis(labels, room, axis) {
  const widest = Math.max(...labels.map(widthOf)) + GAP;
  const places = labelled(labels.length, labelStep(widest, labels.length, room));
  return {
    ...axis,
    grid: { show: false },
    splits: () => places,
    values: (_, shown) => shown.map((one) => labels[one]),
  };
}

// A click on a day opens its records.
function openOnClick(chart, series, zone) {
  const plot = $(chart.id).querySelector(".plot");
  plot.onclick = () => {
    const start = series.starts[$(chart.id).dataset.place];
    if (isNothing(start)) return;
    const day = localDay(start * 1000, zone);
    location.search = address({ view: "records", since: day, until: day });
  };
}

function point(figure, kind, series, labels, place) {
  const { names, format } = KINDS[kind];
  const isOff = isNothing(place);
  figure.dataset.place = place ?? "";
  const values = isOff ? [] : names.map((name) => `${named(name)} ${format(series[name][place])}`);
  figure.querySelector(".pointed").textContent = isOff ? "" : [labels[place], ...values].join(" · ");
}

// Seconds and days on one axis, with the target across.
function lines(series, { axis, size, color }) {
  const names = [...LINES].reverse(); // the median above the other
  const known = names.map((name) => series[name].map((value) => (isNothing(value) ? null : Math.max(1, value))));
  const range = lagRange([...known.flat(), series.target]);
  return {
    axes: [{ ...axis, size, splits: () => lagTicks(range), values: (_, ticks) => ticks.map(tick) }],
    scales: { y: { distr: 3, range: () => range } },
    series: [
      ...names.map((name) => ({ stroke: color(name), width: 2, points: { show: true, size: 5 } })),
      { stroke: color("target"), width: 1, dash: [6, 4], points: { show: false } },
    ],
    data: [...known, series.starts.map(() => series.target)],
  };
}

function area(series, { axis, size, color }) {
  return {
    axes: [{ ...axis, size, incrs: WHOLE_STEPS, values: (_, ticks) => ticks.map(number) }],
    scales: { y: { range: (_, _min, max) => [0, ceiling(max, 4)] } },
    series: [{ stroke: color("waiting"), width: 2, points: { show: false } }],
    data: [series.waiting],
  };
}

function bars(series, { axis, size, color }) {
  const whole = { ...axis, size, incrs: WHOLE_STEPS, values: (_, ticks) => ticks.map(number) };
  const range = (_, _min, max) => [0, ceiling(max, 4)];
  const bar = { width: 0, paths: uPlot.paths.bars({ size: [0.7] }), points: { show: false } };
  const tallestFirst = [...BARS].reverse();
  return {
    axes: [whole],
    scales: { y: { range } },
    series: tallestFirst.map((name) => ({ ...bar, fill: color(name), stroke: color(name) })),
    data: stacked(BARS.map((name) => series[name])).reverse(),
  };
}
