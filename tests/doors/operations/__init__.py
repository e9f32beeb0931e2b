"""Operations: readiness by part, figures, traces, and what an operator reads: alerts, dashboard, the documents."""
