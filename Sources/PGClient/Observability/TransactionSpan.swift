import Tracing

/// The span of one transaction, or of a statement by itself, as OpenTelemetry's conventions for databases have
/// it. Each statement is an event that is named by where in the code it was sent; its text has placeholders and
/// never a value, and an error is known by its kind and SQLSTATE alone.
struct TransactionSpan: Sendable {
    private let span: any Span

    init(_ span: any Span) {
        self.span = span
        span.attributes["db.system.name"] = "postgresql"
    }

    func note(_ origin: Origin) {
        span.addEvent(
            SpanEvent(
                name: "\(origin.file):\(origin.line)",
                attributes: ["db.query.text": .string(origin.sql)]
            )
        )
    }

    func note(_ error: any Error) {
        if let sqlState = (error as? PGError)?.sqlState {
            span.attributes["db.response.status_code"] = sqlState.rawValue
        }
        span.setStatus(SpanStatus(code: .error))
    }

    /// Runs the body in a span, or without one if there is no tracer. Inlined, since an async call would cost more
    /// than the latter.
    @inline(always)
    static func run<R: Sendable>(
        _ name: String,
        _ tracer: (any Tracer)?,
        isolation: isolated (any Actor)?,
        _ body: (TransactionSpan?) async throws -> R
    ) async throws -> R {
        guard let tracer else { return try await body(nil) }
        return try await tracer.withAnySpan(name, ofKind: .client, isolation: isolation) { span in
            let span = TransactionSpan(span)
            do {
                return try await body(span)
            } catch {
                span.note(error)
                throw error
            }
        }
    }
}
