// Records and lags by hour and day, as pictures with a table of the same figures below each.
import { $, element, fill } from "./elements.js";
import { dayLabel, duration, hourLabel, number, roundDuration, say } from "./words.js";

const BARS = ["coded", "refused", "failed"];
const CHARTS = [
  { id: "hours-records", title: "chart.hours_records", span: "hours", kind: "records" },
  { id: "days-records", title: "chart.days_records", span: "days", kind: "records" },
  { id: "hours-lag", title: "chart.hours_lag", span: "hours", kind: "lag" },
  { id: "days-lag", title: "chart.days_lag", span: "days", kind: "lag" },
];
const KINDS = { records: [...BARS, "waiting"], lag: ["lag_p50", "lag_p95"] };
const LAG_STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 432000];
const FONT = "12px system-ui";
const GAP = 12; // pixels between two labels
const plots = new Map();
const measure = document.createElement("canvas").getContext("2d");

const shows = (chart) => (chart.kind === "lag" ? duration : number);
const label = (chart, start, zone) => (chart.span === "hours" ? hourLabel(start) : dayLabel(start, zone));

function frame(chart) {
  const title = say(chart.title);
  const keys = KINDS[chart.kind].map((name) => element("li", {}, element("span", { class: `key-${name}` }), say(`chart.${name}`)));
  return element(
    "figure",
    { id: chart.id },
    element("figcaption", {}, element("h2", {}, title)),
    element("ul", { class: "keys" }, ...keys),
    element("div", { class: "plot", role: "img", "aria-label": say("chart.in_table", { title }) }),
    element("p", { class: "pointed", "aria-hidden": "true" }),
    element("details", {}, element("summary", {}, say("chart.figures")), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, element("table", { id: `${chart.id}-figures` }))),
  );
}

// in the reader's language: drawn anew when that changes
export function forget() {
  for (const plot of plots.values()) plot.destroy();
  plots.clear();
  $("charts").replaceChildren();
}

export function draw(overview) {
  if (!$("charts").firstChild) $("charts").append(...CHARTS.map(frame));
  for (const chart of CHARTS) {
    const figure = $(chart.id);
    const series = overview[chart.span];
    const of = shows(chart);
    const names = KINDS[chart.kind];
    const columns = [["from", "nowrap", (index) => label(chart, series.starts[index], overview.zone)], ...names.map((name) => [name, "number", (index) => of(series[name][index])])];
    fill($(`${chart.id}-figures`), columns, [...series.starts.keys()].reverse(), { heading: (name) => say(name === "from" ? "column.from" : `chart.${name}`) });
    plots.get(chart.id)?.destroy();
    plots.set(chart.id, plot(chart, series, figure, overview.zone));
  }
}

// How many places apart labels are that do not touch, whatever their language and the width.
function apart(labels, width) {
  measure.font = FONT;
  const widest = Math.max(...labels.map((text) => measure.measureText(text).width)) + GAP;
  return Math.max(1, Math.ceil((widest * labels.length) / Math.max(1, width)));
}

function plot(chart, series, figure, zone) {
  const place = figure.querySelector(".plot");
  const color = (name) => getComputedStyle(figure.querySelector(`.key-${name}`)).backgroundColor;
  const grid = { stroke: getComputedStyle($("tiles").firstChild).borderTopColor, width: 1 };
  const axis = { stroke: getComputedStyle(document.querySelector("header p")).color, grid, ticks: grid, font: FONT };
  const width = Math.max(200, place.clientWidth);
  const labels = series.starts.map((start) => label(chart, start, zone));
  const sides = chart.kind === "lag" ? 1 : 2;
  const step = apart(labels, width - sides * 64 - GAP);
  const options = {
    width,
    height: 220,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    hooks: { setCursor: [(drawn) => point(drawn.cursor.idx)] },
    scales: { x: { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] } },
    axes: [{ ...axis, grid: { show: false }, splits: () => labels.map((_, index) => index).filter((index) => (labels.length - 1 - index) % step === 0), values: (_, places) => places.map((index) => labels[index]) }],
    series: [{}],
  };
  const of = shows(chart);
  const names = KINDS[chart.kind];
  function point(index) {
    const told = index === null || index === undefined ? "" : [labels[index], ...names.map((name) => `${say(`chart.${name}`)} ${of(series[name][index])}`)].join(" · ");
    figure.querySelector(".pointed").textContent = told;
  }
  const data = [[...series.starts.keys()]];
  const size = (_, values) => Math.max(40, ...(values ?? []).map((text) => measure.measureText(text).width + 16));
  if (chart.kind === "lag") {
    options.axes.push({ ...axis, size, incrs: LAG_STEPS, values: (_, ticks) => ticks.map(roundDuration) });
    options.scales.y = { range: (_, min, max) => [0, max > 0 ? max * 1.1 : 60] };
    for (const name of ["lag_p95", "lag_p50"]) {
      options.series.push({ stroke: color(name), width: 2, points: { show: true, size: 5 } });
      data.push(series[name]);
    }
    return new uPlot(options, data, place);
  }
  const whole = { ...axis, size, incrs: [1, 2, 5].flatMap((one) => [...Array(9).keys()].map((power) => one * 10 ** power)).sort((one, other) => one - other), values: (_, ticks) => ticks.map(number) };
  options.axes.push(whole, { ...whole, scale: "waiting", side: 1, grid: { show: false } });
  options.scales.y = { range: (_, min, max) => [0, Math.max(4, max * 1.1)] };
  options.scales.waiting = { range: (_, min, max) => [0, Math.max(4, max * 1.1)] };
  let height = series.starts.map(() => 0); // bars stand on one another: the tallest is drawn first
  for (const name of BARS) {
    height = height.map((below, index) => below + series[name][index]);
    options.series.splice(1, 0, { fill: color(name), stroke: color(name), width: 0, paths: uPlot.paths.bars({ size: [0.7] }), points: { show: false } });
    data.splice(1, 0, height);
  }
  options.series.push({ stroke: color("waiting"), width: 2, scale: "waiting", points: { show: false } });
  data.push(series.waiting);
  return new uPlot(options, data, place);
}
