// The mesh of a case as a layer of the map: loaded when 3-D is first asked for, since three.js is large.

import type { CustomLayerInterface, CustomRenderMethodInput, Map as GlMap } from "maplibre-gl";
import {
  CanvasTexture,
  type Group,
  LinearFilter,
  Matrix4,
  Mesh,
  type MeshBasicMaterial,
  NoColorSpace,
  PerspectiveCamera,
  Raycaster,
  Scene,
  TextureLoader,
  Vector3,
  Vector4,
  type WebGLProgramParametersWithUniforms,
  WebGLRenderer,
} from "three";
import { type GLTF, GLTFLoader, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import type { LonLat, MeshFacts } from "./api.js";

const DEGREES = 180 / Math.PI;

/** What lies over the mesh as seen from above: grades and lines, drawn by the page. */
export interface Drape {
  canvas: HTMLCanvasElement;
  west_m: number;
  south_m: number;
  east_m: number;
  north_m: number;
}

export class MeshLayer implements CustomLayerInterface {
  readonly id = "mesh";
  readonly type = "custom";
  readonly renderingMode = "3d";
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera();
  private readonly model = new Matrix4();
  private readonly whole = new Matrix4();
  private readonly uniforms = {
    drape: { value: new CanvasTexture(document.createElement("canvas")) },
    drapeBox: { value: new Vector4(0, 0, 1, 1) },
  };
  private renderer: WebGLRenderer | null = null;
  private map: GlMap | null = null;

  private constructor(
    private readonly facts: MeshFacts,
    mesh: Group,
  ) {
    this.scene.add(mesh);
    this.scene.matrixWorldAutoUpdate = false;
    this.scene.updateMatrixWorld(true);
    this.camera.matrixAutoUpdate = false;
    this.camera.matrixWorldAutoUpdate = false;
    mesh.traverse((one) => {
      if (!(one instanceof Mesh)) return;
      const material = one.material as MeshBasicMaterial;
      material.onBeforeCompile = (shader) => this.draped(shader);
      if (material.map) material.map.anisotropy = 4;
    });
    this.model.copy(modelMatrix(facts));
  }

  static async of(facts: MeshFacts): Promise<MeshLayer> {
    const loader = new GLTFLoader();
    // Pictures come as blobs; fetch may not read them by the page's policy, an image may.
    loader.register((parser: GLTFParser) => {
      parser.textureLoader = new TextureLoader(parser.options.manager);
      return { name: "aftermap-images" };
    });
    const file = (await loader.loadAsync(facts.address)) as GLTF;
    return new MeshLayer(facts, file.scene as unknown as Group);
  }

  onAdd(map: GlMap, gl: WebGLRenderingContext | WebGL2RenderingContext): void {
    this.map = map;
    this.renderer = new WebGLRenderer({
      canvas: map.getCanvas(),
      context: gl as WebGL2RenderingContext,
      antialias: true,
    });
    this.renderer.autoClear = false;
  }

  onRemove(): void {
    this.renderer?.dispose();
    this.renderer = null;
  }

  render(_: WebGLRenderingContext | WebGL2RenderingContext, args: CustomRenderMethodInput): void {
    this.whole
      .fromArray(args.defaultProjectionData.mainMatrix as unknown as number[])
      .multiply(this.model);
    this.camera.projectionMatrix.copy(this.whole);
    this.camera.projectionMatrixInverse.copy(this.whole).invert();
    this.renderer?.resetState();
    this.renderer?.render(this.scene, this.camera);
  }

  /** The place on the mesh that is seen at a pixel of the map, in metres from the origin; null beside it. */
  private hit(point: { x: number; y: number }): Vector3 | null {
    const canvas = this.map?.getCanvas();
    if (!canvas) return null;
    const x = (2 * point.x) / canvas.clientWidth - 1,
      y = 1 - (2 * point.y) / canvas.clientHeight;
    const near = new Vector3(x, y, -1).applyMatrix4(this.camera.projectionMatrixInverse);
    const far = new Vector3(x, y, 0.9999).applyMatrix4(this.camera.projectionMatrixInverse);
    const found = new Raycaster(near, far.sub(near).normalize()).intersectObject(this.scene, true);
    return found[0]?.point ?? null;
  }

  /** Longitude and latitude of what is seen at a pixel of the map. */
  pick(point: { x: number; y: number }): LonLat | null {
    const found = this.hit(point);
    return found && lonLatAt(this.facts, found.x, -found.z);
  }

  /** Lay a picture over the mesh from above. */
  drape({ canvas, west_m, south_m, east_m, north_m }: Drape): void {
    this.uniforms.drape.value.dispose();
    const texture = new CanvasTexture(canvas);
    texture.colorSpace = NoColorSpace;
    texture.premultiplyAlpha = false;
    texture.minFilter = LinearFilter;
    texture.generateMipmaps = false;
    this.uniforms.drape.value = texture;
    this.uniforms.drapeBox.value.set(
      west_m,
      -north_m,
      1 / (east_m - west_m),
      1 / (north_m - south_m),
    );
    this.map?.triggerRepaint();
  }

  /** The material's shader with the drape laid over its colour, once that is what the screen shows. */
  private draped(shader: WebGLProgramParametersWithUniforms): void {
    Object.assign(shader.uniforms, this.uniforms);
    shader.vertexShader =
      `varying vec2 vDrape;\nuniform vec4 drapeBox;\n${shader.vertexShader}`.replace(
        "#include <project_vertex>",
        "#include <project_vertex>\n  vDrape = ((modelMatrix * vec4(transformed, 1.0)).xz - drapeBox.xy) * drapeBox.zw;",
      );
    shader.fragmentShader =
      `varying vec2 vDrape;\nuniform sampler2D drape;\n${shader.fragmentShader}`.replace(
        "#include <dithering_fragment>",
        `#include <dithering_fragment>
  if (all(greaterThan(vDrape, vec2(0.0))) && all(lessThan(vDrape, vec2(1.0)))) {
    vec4 over = texture2D(drape, vec2(vDrape.x, 1.0 - vDrape.y));
    gl_FragColor.rgb = mix(gl_FragColor.rgb, over.rgb, over.a);
  }`,
      );
  }
}

/** From metres in glTF's axes to Web Mercator from 0 to 1, which MapLibre draws in. */
function modelMatrix(facts: MeshFacts): Matrix4 {
  const [x, y] = mercator(facts.origin_lonlat);
  const [ex, ey] = mercator(facts.east_lonlat),
    [nx, ny] = mercator(facts.north_lonlat);
  const across = facts.arm_m;
  const up = Math.hypot(nx - x, ny - y) / across;
  return new Matrix4().set(
    (ex - x) / across,
    0,
    -(nx - x) / across,
    x,
    (ey - y) / across,
    0,
    -(ny - y) / across,
    y,
    0,
    up,
    0,
    -up * facts.ground_m,
    0,
    0,
    0,
    1,
  );
}

function lonLatAt(facts: MeshFacts, east_m: number, north_m: number): LonLat {
  const o = facts.origin_lonlat,
    e = facts.east_lonlat,
    n = facts.north_lonlat;
  const a = east_m / facts.arm_m,
    b = north_m / facts.arm_m;
  return [
    o[0] + a * (e[0] - o[0]) + b * (n[0] - o[0]),
    o[1] + a * (e[1] - o[1]) + b * (n[1] - o[1]),
  ];
}

function mercator([lon, lat]: LonLat): [number, number] {
  const y = Math.log(Math.tan(Math.PI / 4 + lat / DEGREES / 2));
  return [(180 + lon) / 360, (1 - y / Math.PI) / 2];
}
