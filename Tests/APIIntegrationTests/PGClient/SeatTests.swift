import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `The seat at an event loop` {
    /// What the thread of that tenure does next: the number of a job, or a word.
    private func next(_ seat: inout Seat<Int>, in tenure: Int = 0) -> String {
        switch seat.next(in: tenure) {
        case .run(let job): "\(job)"
        case .poll(mayBlock: true): "wait"
        case .poll(mayBlock: false): "look"
        case .leave: "leave"
        }
    }

    private func steps(_ count: Int, _ seat: inout Seat<Int>) -> [String] {
        var steps: [String] = []
        for _ in 0..<count { steps.append(next(&seat)) }
        return steps
    }

    private func looks(_ count: Int, _ seat: inout Seat<Int>) -> [String] {
        var looks: [String] = []
        for _ in 0..<count { looks.append(look(&seat)) }
        return looks
    }

    private func add(_ jobs: ClosedRange<Int>, to seat: inout Seat<Int>) {
        for job in jobs { _ = seat.add(job) }
    }

    private func look(_ seat: inout Seat<Int>, mayReplace: Bool = true) -> String {
        switch seat.look(mayReplace: mayReplace) {
        case .idle: "idle"
        case .busy: "busy"
        case .stuck(let next): "stuck, \(next) follows"
        }
    }

    @Test func `Jobs are run in the order in which they came, and then the sockets are waited for`() {
        var seat = Seat<Int>()
        add(1...3, to: &seat)
        let steps = steps(4, &seat)
        #expect(steps == ["1", "2", "3", "wait"])
    }

    @Test func `After sixteen jobs the sockets are looked at, and nobody waits while there are more`() {
        var seat = Seat<Int>()
        add(1...40, to: &seat)
        let steps = steps(43, &seat)
        #expect(steps.filter { $0 == "look" }.count == 2)
        #expect(steps[16] == "look" && steps[33] == "look")
        #expect(steps.last == "wait")
    }

    @Test
    func `Of the jobs that come during a wait the first wakes the thread, and so it is at the next wait`() {
        var seat = Seat<Int>()
        for _ in 0..<2 {
            while next(&seat) != "wait" {}
            #expect(seat.isFree)
            let wakes = [seat.add(1), seat.add(2)]
            #expect(wakes == [true, false])
            #expect(!seat.isFree)
            seat.endWait()
            #expect(!seat.isFree)
            let wakesAfterwards = seat.add(3)
            #expect(!wakesAfterwards)
        }
    }

    @Test func `One with eight jobs that wait is crowded`() {
        var seat = Seat<Int>()
        add(1...7, to: &seat)
        #expect(!seat.isCrowded)
        add(8...8, to: &seat)
        #expect(seat.isCrowded)
    }

    @Test
    func `A thread that is in the same job at three looks loses its seat, and leaves when it asks again`() {
        var seat = Seat<Int>()
        add(1...2, to: &seat)
        let before = steps(1, &seat)
        #expect(before == ["1"])
        let looks = looks(3, &seat)
        #expect(looks == ["busy", "busy", "stuck, 1 follows"])
        let after = [next(&seat, in: 1), next(&seat, in: 0), next(&seat, in: 1), next(&seat, in: 1)]
        #expect(after == ["look", "leave", "2", "wait"])
    }

    @Test func `Until the one who follows has begun, nobody else does`() {
        var seat = Seat<Int>()
        add(1...1, to: &seat)
        _ = next(&seat)
        let looks = looks(9, &seat)
        #expect(looks.filter { $0.hasPrefix("stuck") } == ["stuck, 1 follows"])
    }

    @Test func `The one who has taken over can be replaced as well, after just as long`() {
        var seat = Seat<Int>()
        add(1...2, to: &seat)
        _ = next(&seat)
        _ = looks(3, &seat)
        let second = [next(&seat, in: 1), next(&seat, in: 1)]
        #expect(second == ["look", "2"])
        let looks = looks(3, &seat)
        #expect(looks == ["busy", "busy", "stuck, 2 follows"])
    }

    @Test func `Without a thread that could replace it, one that is stuck goes on`() {
        var seat = Seat<Int>()
        add(1...1, to: &seat)
        _ = next(&seat)
        for _ in 0..<10 {
            let look = look(&seat, mayReplace: false)
            #expect(look == "busy")
        }
        let next = next(&seat)
        #expect(next == "wait")
    }

    @Test func `One that waits or reads isn't stuck, and one that goes on waiting is idle`() {
        var seat = Seat<Int>()
        _ = next(&seat)
        let waiting = looks(5, &seat)
        #expect(waiting == ["busy", "idle", "idle", "idle", "idle"])
        seat.endWait()
        let reading = looks(5, &seat)
        #expect(reading == Array(repeating: "busy", count: 5))
    }
}
