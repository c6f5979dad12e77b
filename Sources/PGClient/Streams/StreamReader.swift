/// Reads a stream that a connection sends, and lets go of it when it is no longer read.
///
/// It belongs to one iterator.
@usableFromInline
final class StreamReader<Element: Sendable> {
    private let lease: Lease
    private let id: Int?
    private let work: (StreamBuffer<Element>) -> Request.Work
    private let buffer = StreamBuffer<Element>()
    private var stream: (request: Request, backend: Backend)?
    private var batch: [Element] = []
    private var position = 0

    /// - Parameter work: what fills the buffer; it is sent when the first element is asked for.
    init(_ lease: Lease, in id: Int?, _ work: @escaping (StreamBuffer<Element>) -> Request.Work) {
        self.lease = lease
        self.id = id
        self.work = work
    }

    @usableFromInline
    deinit {
        guard let stream else { return }
        buffer.abandon()
        lease.endStream(stream.request)
        stream.backend.readOn()
    }

    /// The next element, if it has been taken from the buffer with others; nil says nothing.
    @usableFromInline
    func nextAtHand() -> Element? {
        guard position < batch.count else { return nil }
        defer { position += 1 }
        return batch[position]
    }

    /// The next element, or nil at the end.
    @usableFromInline
    func next(isolation: isolated (any Actor)?) async throws -> Element? {
        if let element = nextAtHand() { return element }
        let (request, backend) = try await begun(isolation: isolation)
        do {
            while let batch = try buffer.take() {
                // Who is slower than the server never waits for it, and so would never learn.
                if Task.isCancelled {
                    request.cancel()?.cancel(request)
                    _ = await request.outcome()
                    throw CancellationError()
                }
                guard batch.isEmpty else {
                    backend.readOn()
                    self.batch = batch
                    position = 1
                    return batch[0]
                }
                await withTaskCancellationHandler {
                    await buffer.wait()
                } onCancel: {
                    request.cancel()?.cancel(request)
                }
            }
        } catch {
            lease.endStream(request, error)
            throw error
        }
        lease.endStream(request)
        return nil
    }

    private func begun(isolation: isolated (any Actor)?) async throws -> (request: Request, backend: Backend)
    {
        if let stream { return stream }
        let stream = try await lease.stream(work(buffer), in: id)
        self.stream = stream
        return stream
    }
}
