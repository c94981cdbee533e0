// Decisions on their way to the record. Each is kept in the browser until the server says that it is
// on the disk, and sent again where that was not heard: the server knows one that it has already.

import { post, Refused, type Grade, type Saved } from "./api.js";
import { tell } from "./dom.js";

export interface Decision {
  source_id: string;
  grade: Grade | null;
  not_assessed_reason?: string;
  note?: string;
  at: string;
}

interface Waiting { reviewer: string; decision: Decision }

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
    try {
      this.waiting = JSON.parse(localStorage.getItem(key) ?? "[]") as Waiting[];
    } catch {
      this.waiting = [];
    }
  }

  add(decision: Decision): void {
    this.waiting.push({ reviewer: this.reviewer(), decision });
    this.keep(null);
    void this.send();
  }

  get count(): number {
    return this.waiting.length;
  }

  /** Resolves when nothing waits any more; an undo must come after what it undoes. */
  async emptied(): Promise<void> {
    while (this.waiting.length) await new Promise((done) => setTimeout(done, 20));
  }

  async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.waiting.length) await this.sendOne(this.waiting[0]!);
    } finally {
      this.isSending = false;
    }
  }

  private async sendOne(one: Waiting): Promise<void> {
    try {
      if (one.reviewer !== this.reviewer()) throw new Refused(401, "another reviewer's decision waits");
      const saved = await post<Saved>("/api/grades", one.decision);
      this.waiting.shift();
      this.keep(null);
      this.saved(one.decision, saved);
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      const text = error instanceof Error ? error.message : String(error);
      if (status === 422) {
        this.waiting.shift();
        tell(`Not saved: ${text}`, "wrong");
        this.keep(null);
        return;
      }
      this.keep(text);
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  private keep(trouble: string | null): void {
    localStorage.setItem(this.key, JSON.stringify(this.waiting));
    this.changed(this.waiting.length, trouble);
  }
}
