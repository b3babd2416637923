// Scripts that a worker runs, named to a browser that wants Trusted Types.
interface ScriptPolicy {
  createScriptURL(url: string): string;
}

let policy: ScriptPolicy | undefined;

/** ownScript lets a script of our own origin pass, and no other. */
export function ownScript(url: string): string {
  const types = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy } }).trustedTypes;
  if (types === undefined) return url;
  policy ??= types.createPolicy('kith-worker', {
    createScriptURL(given) {
      if (new URL(given, location.href).origin !== location.origin) throw new TypeError('not our own script');
      return given;
    },
  });
  return policy.createScriptURL(url);
}
