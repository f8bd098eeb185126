/** Elements in few words. */

type Child = Node | string;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, given: Record<string, unknown> = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (key in made && !key.includes("-")) (made as any)[key] = value;
    else made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

export const row = (...children: Child[]): HTMLElement => el("div", { className: "row" }, ...children);
export const labelled = (text: string, control: HTMLElement): HTMLElement => el("label", {}, text, control);
export function panel(title: string, ...children: Child[]): HTMLElement {
  return el("section", { className: "panel", "aria-label": title }, el("h2", {}, title), ...children);
}
export function choice(names: string[], titles = names): HTMLSelectElement {
  return el("select", {}, ...names.map((name, i) => el("option", { value: name }, titles[i]!)));
}
export function slider(min: number, max: number, step: number, value: number): HTMLInputElement {
  return el("input", { type: "range", min: String(min), max: String(max), step: String(step), value: String(value) });
}
export function number(min: number, max: number, step: number, value: number): HTMLInputElement {
  return el("input", { type: "number", min: String(min), max: String(max), step: String(step), value: String(value) });
}

/** Fit a canvas to its place on the screen; its context in CSS pixels. */
export function fitted(canvas: HTMLCanvasElement): [CanvasRenderingContext2D, number, number] {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dense = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * dense)) canvas.width = Math.round(width * dense);
  if (canvas.height !== Math.round(height * dense)) canvas.height = Math.round(height * dense);
  const context = canvas.getContext("2d")!;
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

/** A colour of the style sheet, whatever the scheme. */
export function colour(name: string, probe = document.body): string {
  const span = el("span", {});
  span.style.color = `var(--${name})`;
  probe.append(span);
  const found = getComputedStyle(span).color;
  span.remove();
  return found;
}
