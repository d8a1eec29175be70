/* What is around the blocks: the app's message, the Home tab's head, the modal's title and buttons. */
import { clock } from "./dates.js";

const Logo = ({ size }) => (
  <svg className="logo" width={size} height={size} viewBox="0 0 36 36" aria-hidden="true">
    <rect width="36" height="36" rx="8" fill="#123b3a" />
    <circle cx="18" cy="18" r="10.5" fill="none" stroke="#e8f5ef" strokeWidth="1.8" />
    <path d="M18 8.2 20.9 18h-5.8z" fill="#ffb454" />
    <path d="M18 27.8 15.1 18h5.8z" fill="#e8f5ef" />
    <circle cx="18" cy="18" r="1.5" fill="#123b3a" />
  </svg>
);

const Eye = () => (
  <svg width="14" height="14" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6">
    <path d="M2 10s3-5.2 8-5.2S18 10 18 10s-3 5.2-8 5.2S2 10 2 10z" />
    <circle cx="10" cy="10" r="2.4" />
  </svg>
);

export function Message({ snapshot, children }) {
  return (
    <main className="message">
      {snapshot.response_type === "ephemeral" && (
        <p className="only-you">
          <Eye /> Only visible to you
        </p>
      )}
      <Logo size={36} />
      <div className="body">
        <p className="who">
          <b>CostCompass</b> <span className="app">APP</span>{" "}
          <time>{clock()}</time>
        </p>
        {snapshot.blocks.length ? children : <p className="plain">{snapshot.text}</p>}
      </div>
    </main>
  );
}

export function Home({ children }) {
  return (
    <main className="home">
      <header>
        <Logo size={24} />
        <b>CostCompass</b>
      </header>
      <nav>
        <span className="here">Home</span>
        <span>Messages</span>
        <span>About</span>
      </nav>
      <div className="body">{children}</div>
    </main>
  );
}

export function Modal({ snapshot, children }) {
  return (
    <main className="backdrop">
      <section className="modal">
        <header>
          <Logo size={28} />
          <b>{snapshot.title.text}</b>
          <span className="cross">×</span>
        </header>
        <div className="body">{children}</div>
        <footer>
          <button>{snapshot.close?.text ?? (snapshot.submit ? "Cancel" : "Close")}</button>
          {snapshot.submit && <button className="primary">{snapshot.submit.text}</button>}
        </footer>
      </section>
    </main>
  );
}
