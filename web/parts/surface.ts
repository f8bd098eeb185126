// A canvas that knows its pixels, its colours, and where it is touched.

export interface Paint {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  colour: (name: string) => string;
}

export class Surface {
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly paint: (paint: Paint) => void,
  ) {
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const dense = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * dense) || this.canvas.height !== Math.round(height * dense)) {
      this.canvas.width = Math.round(width * dense);
      this.canvas.height = Math.round(height * dense);
    }
    const context = this.canvas.getContext("2d")!;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    this.paint({ context, width, height, colour: (name) => style.getPropertyValue(`--${name}`) });
  }

  /** Where between 0 and 1 it is touched, from left and from below; and when that ends. */
  dragged(moved: (x: number, y: number) => void, ended: () => void = () => {}): void {
    const at = (event: PointerEvent) => {
      const box = this.canvas.getBoundingClientRect();
      const clip = (share: number) => Math.max(0, Math.min(1, share));
      moved(clip((event.clientX - box.left) / box.width), clip(1 - (event.clientY - box.top) / box.height));
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      at(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) for (const one of event.getCoalescedEvents?.() ?? [event]) at(one);
    });
    for (const name of ["pointerup", "pointercancel"] as const) this.canvas.addEventListener(name, ended);
  }
}
