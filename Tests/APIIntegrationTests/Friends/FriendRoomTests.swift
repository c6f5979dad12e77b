import Foundation
import HTTPTypes
import PGClient
import Testing

/// The room that there is for friends, where many want the last of it in the same moment.
struct FriendRoomTests {
    private static let tooMany = "friend_limit_reached"

    private struct Person {
        let client: Client
        let uid: String
    }

    @Test func `of many who are accepted at once, one has the last place, and the others wait as before`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await Self.newcomer(nobody)
            try await server.crowd(around: ada.uid, 499, accepted: true)
            var waiting = try await Self.newcomers(6, nobody)
            for person in waiting { #expect(try await person.client.befriend(ada.uid) == "requested") }
            for left in [5, 4] {
                let answers = try await Self.atOnce(waiting.map { (ada, $0) })
                #expect(answers.sorted() == Array(repeating: Self.tooMany, count: left) + ["friends"])
                #expect(try await server.room(of: ada.uid) == Room(friends: 500, asked: 0, received: left))
                for (person, answer) in zip(waiting, answers) {
                    let standing = answer == "friends" ? "friends" : "requested"
                    #expect(try await person.client.states() == [ada.uid: standing])
                }
                // The place is free again for one of those who wait.
                let accepted = try #require(answers.firstIndex(of: "friends"))
                let gone = waiting.remove(at: accepted)
                #expect(try await ada.client.send(.delete, "/v1/friends/\(gone.uid)").status == 204)
            }
        }
    }

    @Test func `of many whom somebody asks at once with one place left, one is asked, and the place is kept`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await Self.newcomer(nobody)
            try await server.crowd(around: ada.uid, 499, accepted: true)
            let others = try await Self.newcomers(6, nobody)
            let asked = try await Self.atOnce(others.map { (ada, $0) })
            #expect(asked.sorted() == Array(repeating: Self.tooMany, count: 5) + ["requested"])
            #expect(try await server.room(of: ada.uid) == Room(friends: 499, asked: 1, received: 0))
            for (person, answer) in zip(others, asked) {
                let expected = answer == "requested" ? [ada.uid: "received"] : [:]
                #expect(try await person.client.states() == expected)
            }

            // She who was asked says yes, and those who were not ask themselves.
            let answers = try await Self.atOnce(others.map { ($0, ada) })
            #expect(answers == asked.map { $0 == "requested" ? "friends" : "requested" })
            #expect(try await server.room(of: ada.uid) == Room(friends: 500, asked: 0, received: 5))
        }
    }

    @Test func `of many who ask whoever accepts everybody at once, one has the last place, and others wait`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await Self.newcomer(nobody)
            try await ada.client.change(["leaderboards": ["friends": ["autoAcceptFriends": true]]])
            try await server.crowd(around: ada.uid, 499, accepted: true)
            let others = try await Self.newcomers(6, nobody)
            let answers = try await Self.atOnce(others.map { ($0, ada) })
            #expect(answers.sorted() == ["friends"] + Array(repeating: "requested", count: 5))
            #expect(try await server.room(of: ada.uid) == Room(friends: 500, asked: 0, received: 5))
            for (person, answer) in zip(others, answers) {
                #expect(try await person.client.states() == [ada.uid: answer])
            }
        }
    }

    @Test func `between two with one place left each, who asked keeps it, and who accepts gives it to one`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            for _ in 1...3 {
                let (ada, ben) = (try await Self.newcomer(nobody), try await Self.newcomer(nobody))
                let (cleo, dana) = (try await Self.newcomer(nobody), try await Self.newcomer(nobody))
                for (person, other) in [(ada, ben), (cleo, ben), (dana, ada)] {
                    #expect(try await person.client.befriend(other.uid) == "requested")
                }
                for person in [ada, ben] {
                    try await server.crowd(around: person.uid, 499, accepted: true)
                }

                let answers = try await Self.atOnce([(ada, dana), (ben, ada), (ben, cleo)])
                #expect(answers[0] == Self.tooMany, "The place is Ben's.")
                #expect(answers[1...].sorted() == [Self.tooMany, "friends"])
                let isBens = answers[1] == "friends"
                #expect(
                    try await server.room(of: ada.uid)
                        == Room(friends: isBens ? 500 : 499, asked: isBens ? 0 : 1, received: 1)
                )
                #expect(try await server.room(of: ben.uid) == Room(friends: 500, asked: 0, received: 1))
                #expect(try await cleo.client.states() == [ben.uid: isBens ? "requested" : "friends"])
                #expect(try await dana.client.states() == [ada.uid: "requested"])
            }
        }
    }

    /// Somebody who takes requests.
    private static func newcomer(_ nobody: Client) async throws -> Person {
        let (client, uid) = try await nobody.newcomer()
        try await client.change(["privacy": ["allowFriendRequests": true]])
        return Person(client: client, uid: uid)
    }

    private static func newcomers(_ count: Int, _ nobody: Client) async throws -> [Person] {
        var people: [Person] = []
        for _ in 0..<count { people.append(try await newcomer(nobody)) }
        return people
    }

    /// What the first of each two is told, who says yes to the second, all in the same moment: how the two stand, or the
    /// problem's code.
    private static func atOnce(_ pairs: [(Person, Person)]) async throws -> [String] {
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (number, (person, other)) in pairs.enumerated() {
                group.addTask {
                    let answer = try await person.client.send(.put, "/v1/friends/\(other.uid)")
                    let told = answer.json["state"] ?? answer.json["code"]
                    return (number, told as? String ?? "\(answer.status)")
                }
            }
            var answers = Array(repeating: "", count: pairs.count)
            for try await (number, answer) in group { answers[number] = answer }
            return answers
        }
    }
}

/// How many friends somebody has, how many they asked, and how many asked them.
private struct Room: PGRow, Equatable {
    let friends, asked, received: Int

    init(friends: Int, asked: Int, received: Int) {
        (self.friends, self.asked, self.received) = (friends, asked, received)
    }

    init(from row: inout PGRowReader) throws {
        friends = try row.next()
        asked = try row.next()
        received = try row.next()
    }
}

extension TestServer {
    fileprivate func room(of uid: String) async throws -> Room {
        let person = try #require(UUID(uuidString: uid))
        return try await asSuperuser { tx in
            try await tx.queryOne(
                """
                select count(*) filter (where accepted_at is not null),
                  count(*) filter (where accepted_at is null and asked_by = \(person) and withdrawn_at is null),
                  count(*) filter (where accepted_at is null and asked_by <> \(person) and declined_at is null)
                from app.friendship where \(person) in (uid, friend_uid)
                """,
                as: Room.self
            )
        }
    }
}
