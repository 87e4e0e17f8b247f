// Draws what DVC has written into the page: a line for each chart, two for each image.
// page.py puts this file into the page, together with Vega; `vegaEmbed` comes from there.
const LINE = /^\s*(<div id = "|var spec = |<p>|<img src=")(.*)(?:">|;|<\/p>)$/;
const DARK = matchMedia("(prefers-color-scheme: dark)").matches;
const NARROW = innerWidth < 720;
const OPTIONS = {
  ast: true, // expressions are interpreted: the page allows no eval
  renderer: "svg",
  actions: { export: true, source: false, compiled: false, editor: false }, // the editor is elsewhere
  theme: DARK ? "dark" : undefined,
  config: DARK ? { background: "transparent", axis: { gridColor: "#444" } } : {},
};
// What is seen first: the answer, then what it comes from; lists of files come last.
const ORDER = [/difference/, /scores/, /results.*plots/, /./, /history/, /rejected|near_duplicates/];
const LONGEST = 30; // files of a list that are shown

function add(kind, text = "", parent = document.querySelector("main")) {
  const element = document.createElement(kind);
  element.textContent = text;
  parent.append(element);
  return element;
}

function row(parent, cells, kind = "td") {
  const line = add("tr", "", parent);
  for (const [text, style, span] of cells) {
    const cell = add(kind, text, line);
    cell.className = style ?? "";
    cell.rowSpan = span ?? 1;
  }
}

const number = (text, sign, digits = 3) =>
  text === "" || text == null ? "" : (sign && text > 0 ? "+" : "") + (Number(text) + Math.sign(text) * 1e-9).toFixed(digits);

// The difference comes first; what is not of new pictures unfolds.
function scores(values, figure) {
  const tested = values.filter((one) => one.split === "test");
  const minus = (one) => one.model.includes(" minus ");
  table(tested.filter(minus).concat(tested.filter((one) => !minus(one))), figure);
  const others = add("details", "", figure);
  add("summary", "training and validation pictures", others);
  table(values.filter((one) => one.split !== "test"), others);
}

// Rows of one score in all revisions stand together, below its name on a narrow screen.
function table(values, parent) {
  const grid = add("table", "", parent);
  const heads = ["revision", "mean", "interval", "p"].map((head) => [head]);
  row(add("thead", "", grid), NARROW ? heads : [["score"], ...heads], "th");
  const place = (one) => (one.split === "test" ? one.model : `${one.model}, ${one.split}`);
  const groups = Map.groupBy(values, (one) => `${place(one)}: ${one.score.replaceAll("_", " ")}`);
  for (const [name, rows] of groups) {
    const body = add("tbody", "", grid);
    if (NARROW) add("th", name, add("tr", "", body)).colSpan = heads.length;
    rows.forEach((one, i) => {
      const sign = one.model.includes(" minus ");
      const [none, p] = [one.low === "" || one.low == null, one.p];
      row(body, [
        ...(i || NARROW ? [] : [[name, "", rows.length]]),
        [one.rev, "revision"],
        [number(one.mean, sign), "number"],
        [none ? "" : `${number(one.low, sign)} to ${number(one.high, sign)}`, "number"],
        [p && p < 0.001 ? "< 0.001" : number(p), "number"],
      ]);
    });
  }
}

function files(values, figure) {
  const table = add("table", "", figure);
  for (const [rev, own] of Map.groupBy(values, (one) => one.rev)) {
    for (const one of own.slice(0, LONGEST)) row(table, [[rev, "revision"], [one.path], [one.reason]]);
    if (own.length > LONGEST) row(table, [[rev, "revision"], [`and ${own.length - LONGEST} more`]]);
  }
}

const TABLES = { scores, files };

function chart(spec, name) {
  if (Object.keys(spec).length === 0) {
    add("p", `${name}: no rows`);
    return;
  }
  const figure = add("figure");
  figure.id = name; // as on DVC's own page
  if (spec.usermeta?.table) {
    add("figcaption", spec.title.text, figure);
    TABLES[spec.usermeta.table](spec.data.values, figure);
    return;
  }
  if (NARROW && spec.facet?.column && !spec.facet.row) spec.facet = { row: spec.facet.column };
  vegaEmbed(figure, spec, OPTIONS).catch((error) => add("p", `${name}: ${error}`, figure));
}

function image(source, revision) {
  const figure = add("figure");
  add("figcaption", revision, figure);
  const picture = add("img", "", figure);
  picture.alt = revision;
  picture.src = source.split("/").map(encodeURIComponent).join("/"); // it names the revision too
}

const charts = []; // name, specification
const images = []; // its file, and what to do
let name = "";
let words = ""; // an image's file, or its revision
for (const line of document.querySelector("plaintext").textContent.split("\n")) {
  const [, start, text] = line.match(LINE) ?? [];
  if (start === '<div id = "') {
    name = text;
  } else if (start === "var spec = ") {
    charts.push([name, JSON.parse(text)]);
  } else if (start === "<p>") {
    if (words) images.push(["h2", words]);
    words = text;
  } else if (start === '<img src="') {
    images.push([text, words]);
    words = "";
  }
}
document.querySelector("main").replaceChildren();
const revisions = new Set(charts.flatMap(([, spec]) => (spec.data?.values ?? []).map((one) => one.rev)));
add("h1", `Plots of ${[...revisions].join(" and ")}`);
const rank = ([name, spec]) =>
  (Object.keys(spec).length ? 0 : ORDER.length) + ORDER.findIndex((one) => one.test(name));
charts.sort((one, other) => rank(one) - rank(other));
const last = charts.findIndex((one) => rank(one) >= ORDER.length - 1);
charts.slice(0, last < 0 ? undefined : last).forEach(([name, spec]) => chart(spec, name));
for (const [first, second] of images) first === "h2" ? add("h2", second) : image(first, second);
if (last >= 0) charts.slice(last).forEach(([name, spec]) => chart(spec, name));
