/** Four latent paths at the corners of a plane, mixed where the point is. */
import { post, work, type Path, type Sound } from "./api";
import { weights } from "./curves";
import { colour, el, fitted, labelled, panel, row } from "./dom";
import { modelChoice } from "./models";
import { attempt, refresh, soundChoice } from "./sounds";
import { SoundView } from "./soundview";
import { receives } from "./stage";

export function planeTab(): { element: HTMLElement; result: SoundView } {
  const model = modelChoice("wavae", "strings");
  const result = new SoundView("Mix");
  const canvas = el("canvas", { className: "plane", tabIndex: 0, role: "application", "aria-label": "Plane: drag the point, or move it with the arrow keys and press Enter" });
  const shown = el("p", { className: "values" });
  const latents = el("input", { type: "checkbox", checked: true });
  const controls = el("input", { type: "checkbox", checked: true });
  const recording = el("button", { "aria-pressed": "false" }, "Record trajectory");
  const corners: (Path | undefined)[] = [undefined, undefined, undefined, undefined];
  let [x, y] = [0.5, 0.5];
  let trace: [number, number, number][] = [];
  let began = 0;

  function paint(): void {
    const [context, width, height] = fitted(canvas);
    const share = weights(x, y);
    context.font = "14px system-ui";
    [[0, 0], [1, 0], [0, 1], [1, 1]].forEach(([u, v], i) => {
      const [px, py] = [20 + u! * (width - 40), 20 + v! * (height - 40)];
      context.fillStyle = colour("second");
      context.beginPath(); context.arc(px, py, 6 + 12 * share[i]!, 0, 7); context.fill();
      context.fillStyle = colour("ink");
      context.textAlign = u ? "right" : "left";
      context.fillText(`${"ABCD"[i]}${corners[i] ? "" : " (empty)"}`, px + (u ? -24 : 24), py + 5);
    });
    context.strokeStyle = colour("quiet");
    context.beginPath(); trace.forEach(([, u, v]) => context.lineTo(u * width, v * height)); context.stroke();
    context.fillStyle = colour("accent");
    context.beginPath(); context.arc(x * width, y * height, 9, 0, 7); context.fill();
    shown.textContent = share.map((w, i) => `${"ABCD"[i]} ${(100 * w).toFixed(0)} %`).join("   ");
  }
  const mix = () => attempt(async () => {
    if (corners.some((c) => !c)) throw new Error("each corner needs a path: a sound's or a random one");
    const { path } = await post<{ path: Path }>("/paths/mix", { paths: corners.map((c) => c!.id), ...(trace.length > 1 ? { trajectory: trace } : { point: [x, y] }),
      latents: latents.checked, controls: controls.checked, length: "longest" });
    try { await result.show((await work<{ sound: Sound }>(`/paths/${path.id}/decode`, { latest: "plane" })).sound); }
    catch (error) { if ((error as Error).message !== "cancelled") throw error; }
    await refresh();
  });
  const armed = () => recording.getAttribute("aria-pressed") === "true";
  const move = (e: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    [x, y] = [Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)), Math.min(1, Math.max(0, (e.clientY - box.top) / box.height))];
    const now = (performance.now() - began) / 1000;
    if (armed() && (!trace.length || now > trace.at(-1)![0] + 0.02)) trace.push([now, x, y]);
    requestAnimationFrame(paint);
  };
  canvas.onpointerdown = (e) => { canvas.setPointerCapture(e.pointerId); began = performance.now(); trace = []; move(e); };
  canvas.onpointermove = (e) => { if (e.buttons) move(e); };
  canvas.onpointerup = () => void mix();
  canvas.onkeydown = (e) => {
    const step = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, number[]>)[e.key];
    if (e.key === "Enter") void mix();
    if (!step) return;
    e.preventDefault();
    trace = [];
    [x, y] = [Math.min(1, Math.max(0, x + 0.02 * step[0]!)), Math.min(1, Math.max(0, y + 0.02 * step[1]!))];
    paint();
  };
  recording.onclick = () => recording.setAttribute("aria-pressed", String(!armed()));
  const random = (i: number, seed: number) => attempt(async () => {
    corners[i] = (await post<{ path: Path }>("/paths/random", { model: model.value, seconds: 4, seed })).path;
    paint();
  });
  const rows = corners.map((_, i) => {
    const sound = soundChoice();
    const use = el("button", {}, "Use sound");
    const take = (id: string) => attempt(async () => {
      corners[i] = (await work<{ path: Path }>("/paths/encode", { model: model.value, sound: id })).path;
      paint();
    });
    use.onclick = () => take(sound.value);
    receives(`Plane ${"ABCD"[i]}`, (s) => take(s.id));
    const any = el("button", {}, "Random");
    any.onclick = () => random(i, Math.floor(Math.random() * 1e6));
    return row("ABCD"[i]!, labelled("Sound", sound), use, any);
  });
  model.onchange = () => { corners.fill(undefined); paint(); };
  const example = el("button", { className: "main" }, "Use example");
  example.onclick = () => attempt(async () => { for (let i = 0; i < 4; i++) await random(i, i + 1); await mix(); });
  for (const box of [latents, controls]) box.onchange = () => void mix();
  new ResizeObserver(paint).observe(canvas);
  return { result, element: el("div", { className: "two" },
    panel("Plane", row(labelled("Latents", latents), labelled("Loudness and pitch", controls), recording), canvas, shown),
    el("div", {}, panel("Corners", row(labelled("Model", model), example), ...rows), result.element)) };
}
