// Each still chart is replaced by the same chart with tooltips and a legend that can be clicked, those in a folded part
// once it is opened. Vega's expressions are interpreted, not compiled, since the page's policy allows no code but this
// script.
const options = {
  mode: "vega-lite",
  ast: true,
  actions: false,
  renderer: "svg",
  defaultStyle: false, // it and the tooltip's would be style elements, which the policy refuses: page.css has them
  tooltip: { disableDefaultStyle: true },
};
const font = getComputedStyle(document.body).fontFamily; // a specification's own font would come first

async function liven(plot) {
  const spec = JSON.parse(document.getElementById(plot.dataset.spec).textContent);
  const still = plot.firstElementChild;
  const live = document.createElement("div");
  live.className = "live waiting"; // laid out, so that it has a width, but not seen
  plot.append(live);
  await vegaEmbed(live, { ...spec, width: "container", config: { ...spec.config, font } }, options);
  still.remove();
  live.classList.remove("waiting");
  plot.dataset.live = "";
}

async function livenAll(plots) {
  for (const plot of plots) {
    try {
      await liven(plot);
    } catch (error) {
      plot.querySelector(".live")?.remove(); // the still chart stays
      console.error(plot.dataset.spec, error);
    }
    await new Promise((resolve) => setTimeout(resolve)); // a page that is read must not stall
  }
}

const folded = "details:not([open]) .plot";
for (const part of document.querySelectorAll("details:not([open])")) {
  part.addEventListener("toggle", () => livenAll(part.querySelectorAll(".plot:not([data-live])")), { once: true });
}
await livenAll([...document.querySelectorAll(".plot")].filter((plot) => !plot.matches(folded)));
document.documentElement.dataset.live = "";
