declare module "@maplibre/maplibre-gl-compare" {
  export default class Compare {
    constructor(a: unknown, b: unknown, container: HTMLElement, options?: { orientation?: string });
    setSlider(x: number): void;
    remove(): void;
    currentPosition: number;
  }
}
declare module "*.css";
declare module "@mapbox/mapbox-gl-sync-move" {
  export default function syncMove(...maps: unknown[]): () => void;
}
