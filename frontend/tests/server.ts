// A server that tests the page: it notes what it is asked, and answers as the test says.

import { vi } from "vitest";

export interface Asked {
  path: string;
  body: Record<string, unknown>;
}

export type Answer = { status?: number; body?: unknown } | "unreachable";

export class FakeServer {
  readonly asked: Asked[] = [];
  private readonly answers: Answer[] = [];

  /** ``otherwise`` is answered where no answer was laid ready. */
  constructor(private readonly otherwise: Answer = { body: {} }) {
    vi.stubGlobal("fetch", (path: string, options?: RequestInit) => this.answer(path, options));
  }

  /** The answers to what is asked next, in this order. */
  next(...answers: Answer[]): void {
    this.answers.push(...answers);
  }

  private async answer(path: string, options?: RequestInit): Promise<Response> {
    this.asked.push({ path, body: JSON.parse(String(options?.body ?? "{}")) });
    const answer = this.answers.shift() ?? this.otherwise;
    if (answer === "unreachable") throw new TypeError("Failed to fetch");
    return new Response(JSON.stringify(answer.body ?? {}), { status: answer.status ?? 200 });
  }
}
