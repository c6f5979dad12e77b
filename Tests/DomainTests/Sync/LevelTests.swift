import Domain
import Testing

struct `Levels` {
    @Test(arguments: [
        (0, 1), (49, 1), (50, 2), (149, 2), (150, 3), (299, 3), (300, 4), (499, 4), (500, 5), (749, 5),
        (750, 6),
        (999, 6), (1000, 7), (1499, 7), (1500, 8), (1999, 8), (2000, 9), (2599, 9), (2600, 10), (3299, 10),
        (3300, 11), (3999, 11), (4000, 12), (2600 + 700 * 90, 100),
    ])
    func `a level begins exactly at its threshold`(_ xp: Int, _ level: Int) {
        #expect(Level(totalXP: xp).number == level)
    }

    @Test func `there is no level below the first`() {
        #expect(Level(totalXP: -1).number == 1)
    }

    @Test func `levels compare by number`() {
        #expect(Level(totalXP: 499).number < Level(totalXP: 500).number)
        #expect(Level(totalXP: 500) == Level(totalXP: 749))
    }
}
