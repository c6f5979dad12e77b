import DequeModule

/// Whose turn it is at one event loop: that of a job, or that of the sockets. One thread at a time has the seat and
/// does both. A plain value without thread or lock, so that its rules can be read and tested.
struct Seat<Job> {
    /// What the thread that has the seat is to do next. It asks again when it has done that.
    enum Step {
        case run(Job)
        /// To wait for the sockets, or only to look at them.
        case poll(mayBlock: Bool)
        /// To do something else: another thread has the seat.
        case leave
    }

    /// What is found by looking at it from time to time.
    enum Look {
        /// The thread waits for the sockets, and has since the look before.
        case idle
        case busy
        /// The thread has been in one job for too long. Another is to have the seat, for the tenure of that number.
        case stuck(next: Int)
    }

    /// How many jobs are run before the sockets have their turn.
    static var jobsPerPoll: Int { 16 }
    /// With how many jobs that wait a further one is better given to a thread that has nothing to do, although that
    /// one has to be woken.
    static var crowd: Int { 8 }

    private var jobs = Deque<Job>()
    private var jobsSincePoll = 0
    private var isWaiting = false
    private var isWoken = false
    private var isInJob = false
    private var tenure = 0

    private var steps = 0
    private var stepsAtLook = 0
    private var looksInOneStep = 0

    /// Whether the thread has nothing to do.
    var isFree: Bool { isWaiting && !isWoken }
    /// Whether a job had better go elsewhere.
    var isCrowded: Bool { jobs.count >= Self.crowd }

    /// - Parameter tenure: the one of the thread that asks.
    mutating func next(in tenure: Int) -> Step {
        guard tenure == self.tenure else { return .leave }
        steps += 1
        if jobsSincePoll < Self.jobsPerPoll, let job = jobs.popFirst() {
            jobsSincePoll += 1
            isInJob = true
            return .run(job)
        }
        (jobsSincePoll, isInJob) = (0, false)
        isWaiting = jobs.isEmpty
        return .poll(mayBlock: isWaiting)
    }

    /// The wait for the sockets is over, and those that are ready are about to be read.
    mutating func endWait() {
        (isWaiting, isWoken) = (false, false)
    }

    /// Adds a job. True if the thread has to be woken.
    mutating func add(_ job: Job) -> Bool {
        jobs.append(job)
        guard isWaiting, !isWoken else { return false }
        isWoken = true
        return true
    }

    /// - Parameter mayReplace: whether there is a thread to replace the one that is stuck.
    mutating func look(mayReplace: Bool) -> Look {
        looksInOneStep = steps == stepsAtLook ? looksInOneStep + 1 : 0
        stepsAtLook = steps
        if isWaiting { return looksInOneStep > 0 ? .idle : .busy }
        // Once may also be a thread that the system has taken off its processor.
        guard isInJob, looksInOneStep > 1, mayReplace else { return .busy }
        tenure += 1
        // The next isn't stuck before it has begun, and begins with the sockets, which have waited.
        (isInJob, looksInOneStep, jobsSincePoll) = (false, 0, Self.jobsPerPoll)
        return .stuck(next: tenure)
    }
}
