import Crypto
import Foundation
import Hummingbird
import Logging
import PGClient
import ServiceLifecycle
import Tenancy

/// Everything that the routes need, made once.
struct Server: Sendable {
    let pool: PGPool
    let tokens: AccessTokens
    /// The clock; tests bring their own.
    let now: @Sendable () -> Date
    let logger: Logger
    let doorbell: SyncDoorbell
    /// Has to run beside the routes, or the streams hear of nothing but their own openings.
    let events: SyncEvents
    /// Nil where no mail is sent, as for a command that ends.
    let delivery: MailDelivery?

    init(
        pool: PGPool,
        tokens: AccessTokens,
        now: @escaping @Sendable () -> Date,
        logger: Logger = Logger(label: "breathmaster"),
        eventBounds: SyncEvents.Bounds = SyncEvents.Bounds(),
        delivery: MailDelivery? = nil
    ) {
        self.pool = pool
        self.tokens = tokens
        self.now = now
        self.logger = logger
        self.delivery = delivery
        doorbell = SyncDoorbell(pool: pool, key: tokens.eventKey, logger: logger)
        events = SyncEvents(pool: pool, key: tokens.eventKey, bounds: eventBounds, logger: logger)
    }

    /// The table of contents: every path that there is.
    func router() -> Router<AppContext> {
        let database = TenantDatabase(pool: pool)
        let router = Router(context: AppContext.self)
        router.add(middleware: LogRequestsMiddleware(.info))
        router.add(middleware: ProblemMiddleware())
        router.add(middleware: Authentication(tokens: tokens))

        HealthRoutes(pool: pool).add(to: router)
        router.get(".well-known/jwks.json") { [tokens] _, _ in
            try JSON.response(tokens.keySet)
        }
        let version = router.group("v1")
        AuthRoutes(database: database, tokens: tokens, now: now).add(to: version)
        let members = version.group(context: MemberContext.self)
        ProfileRoutes(database: database).add(to: members)
        EmailRoutes(database: database, codes: EmailCodes(key: tokens.emailCodeKey), now: now).add(
            to: members
        )
        FeatureRoutes(database: database).add(to: members)
        DeviceRoutes(database: database, now: now).add(to: members)
        SyncRoutes(database: database, doorbell: doorbell, now: now).add(to: members)
        EventRoutes(database: database, events: events, now: now).add(to: members)
        PracticeRoutes(database: database, now: now).add(to: members)
        AppealRoutes(database: database).add(to: members)
        EligibilityRoutes(database: database, now: now).add(to: version, members: members)
        LeaderboardRoutes(database: database, cursorKey: tokens.cursorKey, now: now).add(to: members)
        SeasonRoutes(database: database, cursorKey: tokens.cursorKey, now: now).add(to: members)
        OrganizationRoutes(database: database).add(to: members)
        FriendRoutes(database: database).add(to: members)
        FriendCodeRoutes(database: database, codes: FriendCodes(key: tokens.friendCodeKey)).add(to: members)
        BlockRoutes(database: database).add(to: members)
        return router
    }
}

extension Server {
    /// What is done beside answering.
    var jobs: [any Service] {
        let folding = TallyFolding(pool: pool)
        let finalising = SeasonFinalising(pool: pool, now: now, logger: logger)
        let delivering = delivery.map { delivery in
            RecurringJob(name: "deliver mail", interval: .seconds(2), logger: logger) {
                try await delivery.deliver()
            }
        }
        return [
            RecurringJob(name: "fold counts", interval: .seconds(1), logger: logger) {
                try await folding.fold()
            },
            RecurringJob(name: "finalise seasons", interval: .seconds(300), logger: logger) {
                try await finalising.finalise()
            },
        ] + [delivering].compactMap(\.self)
    }

    /// The server that the settings describe, on the time of this machine.
    init(_ settings: Settings) async throws {
        var configuration = PGConfiguration(try settings.require(settings.databaseURL, "DATABASE_URL"))
        configuration.applicationName = "breathmaster"
        var logger = Logger(label: "breathmaster")
        logger.logLevel = settings.logLevel
        let pool = PGPool(configuration)
        let tokens = await AccessTokens(signingKey: try settings.signingKey(), now: { Date() })
        self.init(
            pool: pool,
            tokens: tokens,
            now: { Date() },
            logger: logger,
            delivery: MailDelivery(
                pool: pool,
                transport: settings.mailTransport,
                from: settings.mailFrom,
                templates: try MailTemplates(),
                codes: EmailCodes(key: tokens.emailCodeKey),
                now: { Date() },
                logger: logger
            )
        )
    }
}
