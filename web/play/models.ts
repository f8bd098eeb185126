/** The models there are, in every tab, also those that were trained meanwhile. */
import { get, type Timbre, type Wavae } from "./api";
import { el } from "./dom";

export interface Models { timbres: Timbre[]; wavae: Wavae[] }
let models: Models = { timbres: [], wavae: [] };
const listeners: ((models: Models) => void)[] = [];

/** Ask for them anew; who wants to know is told. */
export async function askModels(): Promise<Models> {
  models = await get<Models>("/models");
  listeners.forEach((tell) => tell(models));
  return models;
}

/** Be told of the models, now and whenever there are others. */
export function whenModels(tell: (models: Models) => void): void { listeners.push(tell); tell(models); }

/** A choice among the models of a kind. */
export function modelChoice(kind: keyof Models, preferred = ""): HTMLSelectElement {
  const made = el("select", { "data-models": kind });
  whenModels((all) => {
    const was = made.value || preferred;
    const names = all[kind].map((m) => m.name);
    made.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    if (names.includes(was)) made.value = was;
  });
  return made;
}

/** Go to a tab, with this model chosen there. */
export function openWith(tab: string, kind: keyof Models, name: string): void {
  const select = document.querySelector<HTMLSelectElement>(`#tab-${tab} select[data-models=${kind}]`);
  if (select && select.value !== name) { select.value = name; select.dispatchEvent(new Event("change")); }
  document.querySelector<HTMLButtonElement>(`[aria-controls=tab-${tab}]`)?.click();
}
