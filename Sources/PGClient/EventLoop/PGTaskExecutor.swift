import Dispatch
import Foundation
import Synchronization

/// Runs tasks on the threads that wait for the database, so that a result is used by the thread that has read it.
///
/// Without it, whoever waits for a result is resumed on one of Swift's own threads, which has to be woken for that.
/// A program that does little else than to ask the database prefers it for all of its tasks:
/// ```swift
/// try await withTaskExecutorPreference(PGTaskExecutor.shared()) {
///     try await serve()
/// }
/// ```
/// There is an event loop for each processor, from two to 32, and each has a thread. When a task computes for more
/// than a few milliseconds, another thread takes over the loop and everything that waits for it. There are twice as
/// many threads as loops, so a task must not block its thread for long, as it must not block one of Swift's.
public final class PGTaskExecutor: TaskExecutor {
    /// A loop, its jobs, and which thread has both.
    private final class Place: Sendable {
        let loop: EventLoop
        let seat = Mutex(Seat<UnownedJob>())

        init(_ loop: EventLoop) {
            self.loop = loop
        }

        /// False if it is crowded.
        func add(_ job: UnownedJob, evenIfCrowded: Bool) -> Bool {
            let mustWake: Bool? = seat.withLock { seat in
                seat.isCrowded && !evenIfCrowded ? nil : seat.add(job)
            }
            if mustWake == true { loop.wake() }
            return mustWake != nil
        }
    }

    /// What a thread does after it has left a place.
    private struct Reserve: Sendable {
        var threads: Int
        var vacancies: [(place: Place, tenure: Int)] = []
    }

    /// How often the guard looks.
    private static let lookInterval = DispatchTimeInterval.milliseconds(2)
    /// After how many looks without anything to do the guard rests.
    private static let quietLooks = 32

    private static let process = Mutex<PGTaskExecutor?>(nil)
    /// The place that the thread has which asks.
    private static let current = ThreadLocal<Place>()

    private let places: [Place]
    private let loopTurn = Atomic<Int>(0)
    private let jobTurn = Atomic<Int>(0)
    private let reserve: Mutex<Reserve>
    private let vacancy = DispatchSemaphore(value: 0)
    private let guardIsCalled = DispatchSemaphore(value: 0)
    private let guardRests = Atomic<Bool>(true)

    /// The executor of this process, started when first asked for. It is never stopped: idle threads cost less than
    /// the question of who stops them.
    ///
    /// - Throws: ``PGError`` if the process has no file descriptor left.
    public static func shared() throws -> PGTaskExecutor {
        try process.withLock { process in
            if let process { return process }
            // Dispatch has 255 threads at most, and others need some as well.
            let loops = min(max(2, ProcessInfo.processInfo.activeProcessorCount), 32)
            let executor = try PGTaskExecutor(loops: loops)
            process = executor
            return executor
        }
    }

    private init(loops: Int) throws {
        places = try (0..<loops).map { _ in Place(try EventLoop()) }
        reserve = Mutex(Reserve(threads: loops))
        for place in places {
            startThread(at: (place, tenure: 0))
            startThread(at: nil)
        }
        DispatchQueue(label: "PGClient.guard").async { self.watch() }
    }

    /// How many event loops there are, each of which has a thread.
    public var loopCount: Int { places.count }
    var loops: [EventLoop] { places.map(\.loop) }

    /// A loop, by turns.
    func nextLoop() -> EventLoop { nextPlace(loopTurn).loop }

    private func nextPlace(_ turn: borrowing Atomic<Int>) -> Place {
        places[(turn.wrappingAdd(1, ordering: .relaxed).oldValue & .max) % places.count]
    }

    /// Called by Swift's runtime when a task can go on.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let place = Self.current.value ?? nextPlace(jobTurn)
        if place.add(job, evenIfCrowded: false) { return }
        let other = places.first { $0.seat.withLock { $0.isFree } } ?? place
        _ = other.add(job, evenIfCrowded: true)
    }

    // MARK: Threads

    /// - Parameter first: where it begins; nil if it is in reserve.
    private func startThread(at first: (place: Place, tenure: Int)?) {
        // A serial queue of its own brings a thread of its own; Dispatch does nothing else here.
        DispatchQueue(label: "PGClient.loop").async {
            var next = first
            while true {
                if let next {
                    self.work(at: next.place, in: next.tenure)
                    self.reserve.withLock { $0.threads += 1 }
                }
                self.vacancy.wait()
                next = self.reserve.withLock { $0.vacancies.removeFirst() }
            }
        }
    }

    private func work(at place: Place, in tenure: Int) {
        Self.current.value = place
        defer { Self.current.value = nil }
        while true {
            switch place.seat.withLock({ $0.next(in: tenure) }) {
            case .run(let job):
                if guardRests.load(ordering: .relaxed) { callGuard() }
                job.runSynchronously(on: asUnownedTaskExecutor())
            case .poll(let mayBlock):
                place.loop.poll(mayBlock: mayBlock) { place.seat.withLock { $0.endWait() } }
            case .leave:
                return
            }
        }
    }

    // MARK: The guard

    private func callGuard() {
        if guardRests.exchange(false, ordering: .relaxed) { guardIsCalled.signal() }
    }

    /// Looks from time to time whether a job holds up what else waits for its thread.
    private func watch() {
        var quiet = Self.quietLooks
        while true {
            if quiet >= Self.quietLooks {
                quiet = 0
                guardRests.store(true, ordering: .relaxed)
                // Whoever has begun a job before that has seen a guard that doesn't rest.
                if look() { guardIsCalled.wait() }
                guardRests.store(false, ordering: .relaxed)
            }
            // It is the time that ends this wait: hardly anybody calls a guard that doesn't rest.
            _ = guardIsCalled.wait(timeout: .now() + Self.lookInterval)
            quiet = look() ? quiet + 1 : 0
        }
    }

    /// Looks at every place. Whether nothing is to be done at any.
    private func look() -> Bool {
        places.reduce(true) { isQuiet, place in look(at: place) && isQuiet }
    }

    /// Whether nothing is to be done at that place.
    private func look(at place: Place) -> Bool {
        reserve.withLock { reserve in
            switch place.seat.withLock({ $0.look(mayReplace: reserve.threads > 0) }) {
            case .idle: return true
            case .busy: return false
            case .stuck(let tenure):
                reserve.threads -= 1
                reserve.vacancies.append((place, tenure))
                vacancy.signal()
                return false
            }
        }
    }
}

/// A value of each thread.
private final class ThreadLocal<Value: AnyObject>: Sendable {
    private let key: pthread_key_t

    init() {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        self.key = key
    }

    /// It isn't held.
    var value: Value? {
        get { pthread_getspecific(key).map { Unmanaged<Value>.fromOpaque($0).takeUnretainedValue() } }
        set { pthread_setspecific(key, newValue.map { Unmanaged.passUnretained($0).toOpaque() }) }
    }
}
