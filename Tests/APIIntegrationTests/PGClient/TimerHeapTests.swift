import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `The timer heap` {
    @Test func `What is due comes out by its time, and once, in whatever order it went in`() {
        var random = SplitMix64(state: 1)
        var heap = TimerHeap()
        let journal = Journal()
        var times: [Int64] = []
        var waiting: Set<Int> = []
        for now in Int64(0)..<200 {
            for number in times.count..<times.count + Int.random(in: 0...8, using: &random) {
                // Few times for so many, so that some are equal, and some are over already.
                times.append(Int64.random(in: max(0, now - 5)...now + 50, using: &random))
                waiting.insert(number)
                heap.insert(Instant(nanoseconds: times[number])) { journal.note(number) }
            }
            #expect(heap.next?.nanoseconds == waiting.map { times[$0] }.min())
            let before = journal.entries.count
            for action in heap.due(at: Instant(nanoseconds: now)) { action() }
            let due = journal.entries[before...]
            #expect(Set(due) == waiting.filter { times[$0] <= now })
            #expect(due.map { times[$0] } == due.map { times[$0] }.sorted())
            waiting.subtract(due)
        }
        #expect(Set(journal.entries).count == journal.entries.count)
    }

    @Test func `Of those with the same time none is lost`() {
        var heap = TimerHeap()
        let journal = Journal()
        for number in [7, 7, 8, 7, 6, 7] {
            heap.insert(Instant(nanoseconds: Int64(number))) { journal.note(number) }
        }
        for action in heap.due(at: Instant(nanoseconds: 7)) { action() }
        #expect(journal.entries == [6, 7, 7, 7, 7])
        #expect(heap.next == Instant(nanoseconds: 8))
        #expect(heap.due(at: Instant(nanoseconds: 8)).count == 1)
        #expect(heap.next == nil)
    }
}
