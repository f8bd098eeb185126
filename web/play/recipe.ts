/** How a sound was made: the command lines that make it again, to be copied. */
import { get, say, type Sound } from "./api";
import { el, row } from "./dom";

export function recipeView(): { element: HTMLElement; of: (sound: Sound) => void } {
  const lines = el("pre", { className: "recipe", tabIndex: 0 });
  const files = el("p", { className: "hint" });
  const copy = el("button", {}, "Copy");
  copy.onclick = async () => {
    try { await navigator.clipboard.writeText(lines.textContent!); say("Copied."); }
    catch { getSelection()?.selectAllChildren(lines); say("Selected; copy it with Ctrl+C."); }
  };
  const element = el("details", { hidden: true }, el("summary", {}, "Recipe"), lines, row(copy), files);
  let shown: Sound | undefined;
  const fill = async () => {
    const sound = shown;
    if (!sound || !element.open) return;
    try {
      const recipe = await get<{ commands: string[]; files: string[] }>(`/sounds/${sound.id}/recipe`);
      if (sound !== shown) return;
      lines.textContent = recipe.commands.join("\n");
      const given = recipe.files.filter((name) => !/^(sound[._]|played\.csv)/.test(name));
      files.textContent = given.length ? `Beside it belong, from "Recipe and all files": ${given.join(", ")}.` : "It needs no other files.";
    } catch (error) { say((error as Error).message, true); }
  };
  element.ontoggle = () => void fill();
  return { element, of: (sound) => { shown = sound; element.hidden = !sound.recipe; lines.textContent = ""; void fill(); } };
}
