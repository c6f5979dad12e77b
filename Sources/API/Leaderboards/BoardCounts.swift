import Domain

/// How many people are where on a board whose ranks come from counts.
struct BoardCounts: Sendable {
    /// On all of the board.
    let total: Int
    /// Who have more than the viewer; of no meaning where the viewer isn't there.
    let aboveOwn: Int
    /// The smallest value above the viewer's, where the page doesn't have it.
    let next: Double?
    /// Those of the page.
    let ranks: RankCounts
}

extension BoardCounts {
    /// Of a page that is the whole board, there is nothing to ask.
    init(ofWhole page: PageRows, own: Double?) {
        let values = page.standings.map(\.value)
        self.init(
            total: values.count,
            aboveOwn: own.map { own in values.count { $0 > own } } ?? 0,
            next: nil,
            ranks: RankCounts(peopleAbove: 0, values: values, people: values.map { _ in 1 })
        )
    }
}

extension BoardPage {
    init(_ page: PageRows, own: OwnPlace, counts: BoardCounts) {
        self.init(
            standings: page.standings.map { row in
                var row = row
                row.rank = counts.ranks.rank(of: row.value)
                return row
            },
            continues: page.continues,
            mine: own.value.map { value in
                OwnStanding(
                    rank: counts.aboveOwn + 1,
                    value: value,
                    next: page.nextAboveOwn ?? counts.next,
                    displayName: own.displayName
                )
            },
            total: counts.total,
            isHidden: false
        )
    }
}
