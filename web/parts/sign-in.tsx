/** Asks for the token of the gateway. It stays in this tab and is sent with every question, and nowhere else. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { access, setToken } from "../state/api.ts";
import { refreshDiagnosis, refreshGateway } from "../state/facts.ts";

export function SignIn(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <main id="main" class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = field.current?.value.trim() ?? "";
          if (text === "") return;
          setToken(text);
          void refreshGateway(true).then(refreshDiagnosis);
        }}
      >
        <h1>This gateway asks for a token</h1>
        <p>
          It is <code>admin.token</code> of its configuration. It is kept in this tab until you close it.
        </p>
        <label>
          Token
          <input ref={field} type="password" required autocomplete="off" aria-describedby="sign-in-refusal" />
        </label>
        <p id="sign-in-refusal" role="alert" class="refusal">
          {access.value === "wrong" ? "That is not the token of this gateway." : ""}
        </p>
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
