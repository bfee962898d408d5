extension HTMLView {
  /// The page's style sheet. Colours are variables, which the drawing script reads too.
  static let style = #"""
    :root { color-scheme: light dark;
      --back: #f6f7f9; --panel: #ffffff; --text: #1d2733; --faint: #66727f; --line: #d5dbe2; --edge: #8d99a6;
      --module: #ffffff; --region: #fdf6ec; --regionline: #b8863b; --accent: #1769d2; --found: #f5b301;
      --input: #d9f2e1; --output: #fbeccb; --call: #e8edf3; --linear: #d6e4fb; --activation: #fbdcd6;
      --normalization: #e6dcf8; --elementwise: #dff0d8; --reshaping: #eceff1; --control: #fde3c8; --other: #e3eef0; }
    @media (prefers-color-scheme: dark) { :root {
      --back: #14181d; --panel: #1d232a; --text: #e4e9ee; --faint: #95a1ad; --line: #37414c; --edge: #6c7885;
      --module: #1a2027; --region: #241f18; --regionline: #a87c3a; --accent: #5aa2ff; --found: #f5b301;
      --input: #1f4a30; --output: #57431a; --call: #2c343d; --linear: #21406b; --activation: #5c2f28;
      --normalization: #43326b; --elementwise: #2f4a25; --reshaping: #343b42; --control: #5e4021; --other: #27454b; } }
    * { box-sizing: border-box; }
    html, body { height: 100%; margin: 0; }
    body { display: flex; flex-direction: column; background: var(--back); color: var(--text);
      font: 13px/1.45 system-ui, "Helvetica Neue", "DejaVu Sans", sans-serif; }
    header { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 6px 12px;
      background: var(--panel); border-bottom: 1px solid var(--line); }
    h1 { font-size: 14px; margin: 0; max-width: 30vw; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    #facts, #found { color: var(--faint); white-space: nowrap; }
    #search { flex: 1 1 220px; min-width: 120px; max-width: 420px; }
    input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line);
      border-radius: 5px; padding: 3px 9px; }
    button { cursor: pointer; }
    button:hover { border-color: var(--accent); }
    main { position: relative; flex: 1; min-height: 0; display: flex; }
    canvas { position: absolute; inset: 0; width: 100%; height: 100%; outline: none; touch-action: none; cursor: grab; }
    aside { position: absolute; right: 0; top: 0; bottom: 0; width: min(360px, 85%); overflow: auto; padding: 10px 14px 24px;
      background: var(--panel); border-left: 1px solid var(--line); overflow-wrap: anywhere; }
    aside h2 { font-size: 15px; margin: 2px 24px 0 0; }
    aside h3 { font-size: 11px; letter-spacing: .06em; text-transform: uppercase; color: var(--faint); margin: 14px 0 3px; }
    aside p { margin: 2px 0; }
    aside table { border-collapse: collapse; width: 100%; }
    aside td { vertical-align: top; padding: 1px 8px 1px 0; }
    aside td:first-child { width: 1%; color: var(--faint);
      white-space: nowrap; max-width: 130px; overflow: hidden; text-overflow: ellipsis; }
    aside code, #tip { font: 12px/1.45 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
    aside .default { opacity: .6; }
    aside .go { padding: 0; border: 0; background: none; color: var(--accent); text-align: left; overflow-wrap: anywhere; }
    aside .go:hover { text-decoration: underline; }
    aside .shut { position: absolute; right: 10px; top: 8px; border: 0; background: none; font-size: 16px; padding: 2px 6px; }
    #tip { position: absolute; pointer-events: none;
      max-width: 60%; padding: 2px 7px; background: var(--text); color: var(--back);
      border-radius: 4px; overflow-wrap: anywhere; }
    """#
}
