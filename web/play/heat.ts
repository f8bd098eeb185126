/** Colours of amounts. */

const STOPS = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];
/** Black over violet and orange to white: equal steps look equal (the colours of matplotlib's magma). */
export function heat(share: number): [number, number, number] {
  const at = Math.min(0.9999, Math.max(0, share)) * (STOPS.length - 1);
  const [a, b, t] = [STOPS[Math.floor(at)]!, STOPS[Math.floor(at) + 1]!, at % 1];
  return [0, 1, 2].map((i) => a[i]! + t * (b[i]! - a[i]!)) as [number, number, number];
}
