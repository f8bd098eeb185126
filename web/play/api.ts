/** The server: a window's session, its jobs, and what it answers. */
import { connect, moved } from "./events";

export interface Sound { id: string; name: string; seconds: number; sample_rate: number; samples: number; origin: string; recipe: boolean; licence: string | null }
export interface Path { id: string; model: string; frames: number; seconds: number; rate: number; axes: number; controls: string[] }
export interface Descriptor { name: string; unit: string; scale: string; low: number; high: number }
export interface Recording { name: string; seconds: number; licence: string }
export interface Timbre { name: string; description: string; descriptors: Descriptor[]; recordings?: Recording[]; codes: number; units: boolean }
export interface Wavae { name: string; description: string }
export interface Job<R = any> { id: string; kind: string; state: string; task: string; share: number; result?: R; error?: { error: string }; warnings: string[] }

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
let session = "";
let running = "";

/** Say what happens, or what went wrong, in the line at the foot. */
export function say(text: string, wrong = false): void {
  const line = element("status");
  line.textContent = text;
  line.classList.toggle("wrong", wrong);
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (session) headers.set("X-Session", session);
  if (typeof init.body === "string") headers.set("Content-Type", "application/json");
  const answer = await fetch(`/api${path}`, { ...init, headers });
  if (!answer.ok) {
    const said = await answer.json().catch(() => null);
    throw new Error(said?.error ?? `the server answered ${answer.status}`);
  }
  return answer;
}

/** Begin, or go on with, this window's session. */
export async function begin(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname);
    await ask("/token", { method: "POST", body: JSON.stringify({ token }) });
  }
  // A page loaded anew starts with nothing on it, so its session is new as well.
  session = (await post<{ session: string }>("/session")).session;
  connect(() => link("/events"));
}

export const get = async <T>(path: string): Promise<T> => (await ask(path)).json();
export const post = async <T>(path: string, body: unknown = {}): Promise<T> =>
  (await ask(path, { method: "POST", body: JSON.stringify(body) })).json();
export const bytes = async (path: string, init: RequestInit = {}): Promise<Response> => ask(path, init);
export const floats = async (path: string): Promise<Float32Array> => new Float32Array(await (await ask(path)).arrayBuffer());
/** The address of something for a link. */
export const link = (path: string): string => `/api${path}${path.includes("?") ? "&" : "?"}session=${session}`;

/** Submit a job and wait for its result; progress is shown, and may be cancelled, at the foot. */
export async function work<R>(path: string, body: unknown = {}): Promise<R> {
  const bar = element<HTMLProgressElement>("progress");
  const cancel = element<HTMLButtonElement>("cancel");
  let { job } = await post<{ job: Job<R> }>(`${path}?wait=0.3`, body);
  running = job.id;
  cancel.onclick = () => void ask(`/jobs/${running}`, { method: "DELETE" }).catch((e: Error) => say(e.message, true));
  try {
    while (job.state === "queued" || job.state === "running") {
      bar.hidden = cancel.hidden = false;
      bar.value = job.share;
      say(job.task || job.kind);
      job = (await moved(job)) ?? (await get<{ job: Job<R> }>(`/jobs/${job.id}`)).job;
    }
  } finally {
    if (running === job.id) bar.hidden = cancel.hidden = true;
  }
  if (job.state === "failed") throw new Error(job.error?.error ?? "it failed");
  if (job.state === "cancelled") throw new Error("cancelled");
  say(job.warnings.join(" "));
  return job.result as R;
}

/** Send a file. */
export async function upload(file: Blob, name: string): Promise<Sound> {
  const answer = await ask(`/sounds?name=${encodeURIComponent(name)}`, { method: "POST", body: file });
  return (await answer.json()).sound;
}
