// Elements in few words.

export const $ = <E extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as E;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  settings: Partial<HTMLElementTagNameMap[K]> & { data?: Record<string, string> } = {},
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const { data, ...rest } = settings;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  element.append(...inside);
  return element;
}

/** A button that says its key. */
export function keyed(text: string, key: string, pressed: () => void): HTMLButtonElement {
  const button = make("button", { type: "button", onclick: pressed }, text);
  if (!key) return button;
  button.setAttribute("aria-keyshortcuts", key);
  button.append(make("kbd", { ariaHidden: "true" }, key.toUpperCase()));
  return button;
}

export function heading(...cells: string[]): HTMLTableSectionElement {
  const row = make("tr", {}, ...cells.map((cell) => make("th", { scope: "col" }, cell)));
  return make("thead", {}, row);
}

export const cells = (...texts: (string | number)[]) => make("tr", {}, ...texts.map((text) => make("td", {}, String(text))));

/** A link that saves a table. */
export function csvLink(name: string, text: string): HTMLAnchorElement {
  return make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name }, "Save the results (CSV)");
}
