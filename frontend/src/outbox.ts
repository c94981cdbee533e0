// Decisions on their way to the record. Each is kept in the browser until the server says that it is
// on the disk, and sent again where that was not heard: the server knows one that it has already.

import { type Grade, post, Refused, type Saved } from "./api.js";
import { tell } from "./dom.js";
import { texts } from "./texts.js";

export interface Decision {
  source_id: string;
  grade: Grade | null;
  not_assessed_reason?: string;
  note?: string;
  at: string;
}

interface Waiting {
  reviewer: string;
  decision: Decision;
}

const AGAIN_MS = 3000;

export class Outbox {
  private waiting: Waiting[] = [];
  private isSending = false;

  constructor(
    private readonly key: string,
    private readonly reviewer: () => string,
    private readonly changed: (count: number, trouble: string | null) => void,
    private readonly saved: (decision: Decision, saved: Saved) => void,
  ) {
    this.waiting = kept(key);
  }

  add(decision: Decision): void {
    const one = { reviewer: this.reviewer(), decision };
    this.waiting.push(one);
    localStorage.setItem(this.placeOf(one), JSON.stringify(one));
    this.changed(this.waiting.length, null);
    void this.send();
  }

  get count(): number {
    return this.waiting.length;
  }

  /** Resolves when nothing of this reviewer waits any more; an undo must come after what it undoes. */
  async emptied(): Promise<void> {
    while (this.mine) await new Promise((done) => setTimeout(done, 20));
  }

  /** The decisions of another reviewer in this browser wait until that reviewer is back. */
  async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      for (let one = this.mine; one; one = this.mine) await this.sendOne(one);
    } finally {
      this.isSending = false;
    }
    const others = [...new Set(this.waiting.map((one) => one.reviewer))];
    if (others.length)
      this.changed(this.waiting.length, texts.saving.waitingFor(others.join(", ")));
  }

  private get mine(): Waiting | undefined {
    return this.waiting.find((one) => one.reviewer === this.reviewer());
  }

  private async sendOne(one: Waiting): Promise<void> {
    try {
      const saved = await post("/api/grades", one.decision);
      this.done(one);
      this.saved(one.decision, saved);
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      const text = error instanceof Error ? error.message : String(error);
      if (status === 422) {
        tell(texts.saving.refused(text), "wrong");
        this.done(one);
        return;
      }
      this.changed(this.waiting.length, text);
      await new Promise((again) => setTimeout(again, AGAIN_MS));
    }
  }

  private done(one: Waiting): void {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    localStorage.removeItem(this.placeOf(one));
    this.changed(this.waiting.length, null);
  }

  /** Each lies under a name of its own, so that two windows of one browser keep out of each other's way. */
  private placeOf({ decision }: Waiting): string {
    return `${this.key}/${decision.at}/${decision.source_id}`;
  }
}

/** What an earlier window left, the oldest first. */
function kept(key: string): Waiting[] {
  const names = Object.keys(localStorage)
    .filter((name) => name.startsWith(`${key}/`))
    .sort();
  return names.flatMap((name) => {
    try {
      return [JSON.parse(localStorage.getItem(name) ?? "") as Waiting];
    } catch {
      return [];
    }
  });
}
