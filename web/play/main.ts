/** The tabs, the keys, and the start. */
import { begin, say } from "./api";
import { curveTab } from "./curvetab";
import { el } from "./dom";
import { feedbackTab } from "./feedbacktab";
import { whenEvent } from "./events";
import { liveTab } from "./livetab";
import { askModels } from "./models";
import { pathTab } from "./pathtab";
import { planeTab } from "./planetab";
import { sessionButtons } from "./session";
import { setVolume } from "./player";
import { askExamples } from "./sounds";
import type { SoundView } from "./soundview";
import { trainTab } from "./traintab";
import { transferTab } from "./transfertab";

async function start(): Promise<void> {
  await begin();
  await askExamples();
  const { timbres } = await askModels();
  whenEvent("models", () => void askModels());
  const path = pathTab();
  const curve = curveTab(timbres);
  const plane = planeTab();
  const tabs: [string, HTMLElement, SoundView?][] = [
    ["Path", path.element, path.result], ["Curve", curve.element, curve.result], ["Plane", plane.element, plane.result],
    ["Transfer", transferTab()], ["Feedback", feedbackTab()], ["Train", trainTab()], ["Play live", liveTab()]];
  let chosen = 0;
  let heard = false;
  const list = document.getElementById("tabs")!;
  const buttons = tabs.map(([name, content], i) => {
    content.id = `tab-${name.toLowerCase().replace(" ", "-")}`;
    content.setAttribute("role", "tabpanel");
    content.setAttribute("aria-label", name);
    document.getElementById("main")!.append(content);
    const button = el("button", { role: "tab", "aria-controls": content.id }, name);
    button.onclick = () => show(i);
    button.onkeydown = (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (step) { const to = (i + step + tabs.length) % tabs.length; show(to); buttons[to]!.focus(); }
    };
    list.append(button);
    return button;
  });
  function show(i: number): void {
    chosen = i;
    tabs.forEach(([, content], j) => { content.hidden = i !== j; });
    buttons.forEach((button, j) => { button.setAttribute("aria-selected", String(i === j)); button.tabIndex = i === j ? 0 : -1; });
  }
  document.querySelector("header")!.append(sessionButtons());
  show(0);
  document.addEventListener("keydown", (e) => {
    const typing = (e.target as HTMLElement).closest("input, select, button, a") !== null;
    const undoes = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z";
    const drawn = [path, curve][chosen];
    if (drawn && undoes) { e.preventDefault(); if (e.shiftKey) drawn.redo(); else drawn.undo(); }
    else if (drawn && (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "y") { e.preventDefault(); drawn.redo(); }
    else if (drawn && e.key.toLowerCase() === "c" && !typing && !e.ctrlKey && !e.metaKey) void drawn.compare();
    else if (e.key === " " && !typing) { e.preventDefault(); void tabs[chosen]![2]?.toggle(); }
    else if (e.key.toLowerCase() === "b" && chosen === 0 && !e.ctrlKey && !e.metaKey) { heard = !heard; void (heard ? path.source : path.result).play(); }
  });
  const volume = document.getElementById("volume") as HTMLInputElement;
  volume.oninput = () => setVolume(Number(volume.value));
  say("Press Use example, draw on the curve, listen.");
  document.body.dataset.ready = "true";
}

start().catch((error: Error) => say(error.message, true));
