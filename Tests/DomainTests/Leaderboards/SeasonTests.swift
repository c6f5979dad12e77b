import Domain
import Testing

struct `A season` {
    private static let season = Week("2026-W48").map(Season.init)

    @Test func `begins with the first Monday on earth, ends with the last Sunday, and waits for 72 hours`() {
        #expect(Self.season?.startsAt.description == "2026-11-22T10:00:00.000Z")
        #expect(Self.season?.endsAt.description == "2026-11-30T18:00:00.000Z")
        #expect(Self.season?.finalAt.description == "2026-12-03T18:00:00.000Z")
    }

    @Test func `lasts as long as anybody's day can belong to it`() throws {
        let season = try #require(Self.season)
        let east = try #require(Zone("Pacific/Kiritimati"))
        let west = try #require(Zone("Etc/GMT+12"))
        let first = LocalDay(of: season.startsAt, in: east)
        let last = LocalDay(of: season.endsAt.advanced(by: -1), in: west, startingAt: .latest)
        #expect(Week(of: first) == season.week)
        #expect(Week(of: last) == season.week)
        #expect(Week(of: LocalDay(of: season.startsAt.advanced(by: -1), in: east)) < season.week)
        #expect(Week(of: LocalDay(of: season.endsAt, in: west, startingAt: .latest)) > season.week)
    }

    @Test func `is final when its ranks are written, and not before`() throws {
        let season = try #require(Self.season)
        #expect(season.state(at: season.endsAt.advanced(by: -1), isFinalised: false) == .open)
        #expect(season.state(at: season.endsAt, isFinalised: false) == .grace)
        #expect(season.state(at: season.finalAt, isFinalised: false) == .grace)
        #expect(season.state(at: season.finalAt, isFinalised: true) == .final)
    }

    @Test func `is over from the moment at which it may be closed`() throws {
        let season = try #require(Self.season)
        #expect(Season.over(at: season.finalAt).last == season)
        #expect(Season.over(at: season.finalAt.advanced(by: -1)).last?.week.description == "2026-W47")
        #expect(Season.over(at: season.finalAt).first?.week.description == "1999-W52")
    }

    @Test func `is among the latest from when it begins somewhere`() throws {
        let season = try #require(Self.season)
        let before = Season.latest(2, at: season.startsAt.advanced(by: -1))
        #expect(before.map(\.week.description) == ["2026-W47", "2026-W46"])
        #expect(Season.latest(2, at: season.startsAt).map(\.week.description) == ["2026-W48", "2026-W47"])
        #expect(Season.latest(1, at: season.endsAt).map(\.week.description) == ["2026-W49"])
    }
}
