// What the exporter put into the page: card, network, runtime.
import type { Card } from "../engine/card";

function text(id: string): string {
  const found = document.getElementById(id)?.textContent;
  if (!found) throw new Error(`this page is not whole: it lacks its ${id}`);
  return found;
}

async function unpacked(id: string): Promise<ArrayBuffer> {
  const letters = atob(text(id).trim());
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = letters.charCodeAt(k);
  document.getElementById(id)!.remove();
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

export const card = (): Card => JSON.parse(text("card")) as Card;
export const model = () => unpacked("model");
export const runtime = () => unpacked("runtime");
