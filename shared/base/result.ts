// An answer that may be an expected "no". Bugs throw; refusals are returned.

export type Result<Value, Code extends string> = { ok: true; value: Value } | { ok: false; code: Code }

export const ok = <Value>(value: Value): { ok: true; value: Value } => ({ ok: true, value })
export const refuse = <Code extends string>(code: Code): { ok: false; code: Code } => ({ ok: false, code })
