// Draws what DVC has written into the page: a line for each chart, two for each image.
// page.py puts this file into the page, together with Vega; `vegaEmbed` comes from there.
const LINE = /^\s*(<div id = "|var spec = |<p>|<img src=")(.*)(?:">|;|<\/p>)$/;
const OPTIONS = {
  ast: true, // expressions are interpreted: the page allows no eval
  renderer: "svg",
  actions: { export: true, source: false, compiled: false, editor: false }, // the editor is elsewhere
};

const main = document.querySelector("main");

function add(kind, text = "", parent = main) {
  const element = document.createElement(kind);
  element.textContent = text;
  parent.append(element);
  return element;
}

function chart(spec, name) {
  if (Object.keys(spec).length === 0) {
    add("p", `${name}: no rows`);
    return;
  }
  const figure = add("figure");
  vegaEmbed(figure, spec, OPTIONS).catch((error) => add("p", `${name}: ${error}`, figure));
}

function image(source, revision) {
  const figure = add("figure");
  add("figcaption", revision, figure);
  const picture = add("img", "", figure);
  picture.alt = revision;
  picture.src = source.split("/").map(encodeURIComponent).join("/"); // it names the revision too
}

main.replaceChildren();
let name = "";
let words = ""; // an image's file, or its revision
for (const line of document.querySelector("plaintext").textContent.split("\n")) {
  const [, start, text] = line.match(LINE) ?? [];
  if (start === '<div id = "') {
    name = text;
  } else if (start === "var spec = ") {
    chart(JSON.parse(text), name);
  } else if (start === "<p>") {
    if (words) add("h2", words);
    words = text;
  } else if (start === '<img src="') {
    image(text, words);
    words = "";
  }
}
