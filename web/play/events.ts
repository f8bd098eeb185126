/** What the server says of its own accord: jobs, trainings, new models. */
import type { Job } from "./api";

type Tell = (value: any) => void;
const listeners = new Map<string, Set<Tell>>();
const known = new Map<string, Job>();
let socket: WebSocket | undefined;
let waits = 500;

/** Be told of messages of a kind: "job", "training", "models"; and "connected" whenever the server can be heard (again). */
export function whenEvent(kind: string, tell: Tell): () => void {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind)!.add(tell);
  return () => listeners.get(kind)!.delete(tell);
}

const say = (kind: string, value: unknown) => listeners.get(kind)?.forEach((tell) => tell(value));

/** Listen, and go on listening whatever happens to the line. */
export function connect(path: () => string): void {
  const address = new URL(path(), location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.onopen = () => { waits = 500; say("connected", true); };
  socket.onmessage = (event) => {
    for (const [kind, value] of Object.entries(JSON.parse(event.data) as Record<string, any>)) {
      if (kind === "job") {
        known.set(value.id, value);
        if (known.size > 100) known.delete(known.keys().next().value!);
      }
      say(kind, value);
    }
  };
  socket.onclose = () => { setTimeout(() => connect(path), waits); waits = Math.min(10_000, 2 * waits); };
}

/** The latest that is known of a job, as soon as it has moved; undefined where nothing was heard for a while. */
export function moved(job: Job): Promise<Job | undefined> {
  const news = known.get(job.id);
  if (news && (news.state !== job.state || news.share !== job.share || news.task !== job.task)) return Promise.resolve(news);
  return new Promise((done) => {
    const end = (value?: Job) => { clearTimeout(timer); away(); done(value); };
    const away = whenEvent("job", (value: Job) => { if (value.id === job.id) end(value); });
    // Without a line it is asked for.
    const timer = setTimeout(end, socket?.readyState === WebSocket.OPEN ? 1000 : 120);
  });
}
