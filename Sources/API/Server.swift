import Foundation
import Hummingbird
import Logging
import PGClient
import ServiceLifecycle
import Tenancy

/// Everything that the routes need, made once.
struct Server: Sendable {
    let pool: PGPool
    /// What nobody waits for has connections of its own, so that no request waits for it either.
    private let background: PGPool
    let tokens: AccessTokens
    /// The clock; tests bring their own.
    let now: @Sendable () -> Date
    let logger: Logger
    let doorbell: SyncDoorbell
    /// Has to run beside the routes, or the streams hear of nothing but their own openings.
    let events: SyncEvents
    let limits: Limits
    let passwords: Passwords
    let site: Site
    private let pages: Pages
    /// Whose word on where a request came from is taken.
    let proxies: TrustedProxies
    let connections: ConnectionBounds
    private let lookup: TXTLookup
    private let google: OpenIDProvider?
    private let keyFile: KeyFile?
    /// Nil where no mail is sent, as for a command that ends.
    let delivery: MailDelivery?

    /// - Parameters:
    ///   - background: for jobs; nil is the same as for requests.
    ///   - keyFile: where the keys come from, to look there again now and then.
    /// - Throws: what is wrong with the template of a page.
    init(
        pool: PGPool,
        background: PGPool? = nil,
        tokens: AccessTokens,
        keyFile: KeyFile? = nil,
        passwords: Passwords,
        site: Site,
        proxies: TrustedProxies,
        now: @escaping @Sendable () -> Date,
        logger: Logger = Logger(label: "breathmaster"),
        eventBounds: SyncEvents.Bounds = SyncEvents.Bounds(),
        connections: ConnectionBounds = ConnectionBounds(),
        delivery: MailDelivery? = nil,
        lookup: TXTLookup = .ofThisMachine,
        google: OpenIDSettings? = nil
    ) throws {
        self.pool = pool
        self.background = background ?? pool
        self.tokens = tokens
        self.now = now
        self.logger = logger
        self.keyFile = keyFile
        self.passwords = passwords
        self.site = site
        self.google = google.map { OpenIDProvider($0, now: now, logger: logger) }
        pages = try Pages(site, formsLeadTo: google?.issuer)
        self.proxies = proxies
        self.connections = connections
        limits = Limits(pool: pool, key: tokens.limitKey, now: now)
        self.delivery = delivery
        self.lookup = lookup
        doorbell = SyncDoorbell(pool: pool, key: tokens.eventKey, logger: logger)
        events = SyncEvents(pool: pool, key: tokens.eventKey, bounds: eventBounds, logger: logger)
    }

    /// The table of contents: every path that there is.
    func router() -> Router<AppContext> {
        let database = TenantDatabase(pool: pool)
        let router = Router(context: AppContext.self)
        router.add(middleware: RequestLogging())
        router.add(middleware: ProblemMiddleware())
        router.add(middleware: ScimProblems())
        router.add(middleware: OriginReading(proxies: proxies))
        router.add(
            middleware: Authentication(
                tokens: tokens,
                uses: TokenUses(database: database),
                allowance: AccountAllowance(limit: 100_000),
                now: now
            )
        )

        HealthRoutes(pool: pool).add(to: router)
        ContractRoutes(site).add(to: router)
        router.get(".well-known/jwks.json") { [tokens] _, _ in
            try JSON.response(tokens.keySet)
        }
        let version = router.group("v1")
        let members = version.group(context: MemberContext.self)
        AuthRoutes(database: database, tokens: tokens, limits: limits, now: now)
            .add(to: version, members: members)
        RecoveryRoutes(database: database, tokens: tokens, limits: limits, now: now)
            .add(to: version, members: members)
        let codes = EmailCodes(key: tokens.emailCodeKey)
        let signIns = PasswordSignIns(pool: pool, database: database, limits: limits, passwords: passwords)
        PasswordRoutes(
            pool: pool,
            database: database,
            tokens: tokens,
            limits: limits,
            passwords: passwords,
            signIns: signIns,
            codes: codes,
            now: now
        )
        .add(to: version, members: members)
        IdentityRoutes(
            database: database,
            tokens: tokens,
            limits: limits,
            passwords: passwords,
            provider: google,
            now: now
        )
        .add(to: version, members: members)
        DeviceSignInRoutes(
            pool: pool,
            database: database,
            tokens: tokens,
            limits: limits,
            site: site,
            now: now
        )
        .add(to: version, members: members)
        addPages(to: router, database: database, signIns: signIns, codes: codes)
        AccountMergeRoutes(
            database: database,
            codeKey: tokens.mergeKey,
            limits: limits,
            passwords: passwords,
            doorbell: doorbell,
            now: now
        )
        .add(to: members)
        ProfileRoutes(database: database, now: now).add(to: members)
        AccountRoutes(database: database, limits: limits, passwords: passwords, now: now).add(to: members)
        TokenRoutes(database: database, limits: limits, now: now).add(to: members)
        AuditRoutes(database: database).add(to: members)
        EmailRoutes(database: database, codes: codes, now: now).add(to: members)
        FeatureRoutes(database: database).add(to: members)
        DeviceRoutes(database: database, now: now).add(to: members)
        SyncRoutes(database: database, doorbell: doorbell, now: now).add(to: members)
        EventRoutes(database: database, events: events, now: now).add(to: members)
        PracticeRoutes(database: database, now: now).add(to: members)
        AppealRoutes(database: database).add(to: members)
        EligibilityRoutes(database: database, limits: limits, now: now).add(to: version, members: members)
        LeaderboardRoutes(database: database, cursorKey: tokens.cursorKey, now: now).add(to: members)
        SeasonRoutes(database: database, cursorKey: tokens.cursorKey, now: now).add(to: members)
        OrganizationKeyRoutes(database: database, limits: limits, now: now).add(to: members)
        OrganizationRoutes(database: database, limits: limits, now: now).add(to: members)
        JoiningRoutes(database: database, now: now).add(to: members)
        InvitationRoutes(database: database, limits: limits, now: now).add(to: members)
        MemberRoutes(database: database, now: now).add(to: members)
        TeamRoutes(database: database, now: now).add(to: members)
        OwnershipRoutes(database: database, now: now).add(to: members)
        OrganizationAuditRoutes(database: database).add(to: members)
        OverviewRoutes(database: database, now: now).add(to: members)
        ClosingRoutes(database: database, now: now).add(to: members)
        DomainRoutes(database: database, limits: limits, lookup: lookup, now: now).add(to: members)
        FriendRoutes(database: database).add(to: members)
        FriendCodeRoutes(database: database, codes: FriendCodes(key: tokens.friendCodeKey), limits: limits)
            .add(to: members)
        BlockRoutes(database: database).add(to: members)

        let directory = router.group("scim/v2")
        DiscoveryRoutes().add(to: directory)
        let provisioning = directory.group(context: KeyContext.self)
        DirectorySearchRoutes(database: database).add(to: provisioning)
        DirectoryUserRoutes(database: database, now: now).add(to: provisioning)
        DirectoryGroupRoutes(database: database, now: now).add(to: provisioning)
        return router
    }

    /// What people look at with a browser.
    private func addPages(
        to router: Router<AppContext>,
        database: TenantDatabase,
        signIns: PasswordSignIns,
        codes: EmailCodes
    ) {
        let routes = router.group().add(middleware: PageProblems(pages: pages))
        DevicePage(
            pool: pool,
            database: database,
            tokens: tokens,
            limits: limits,
            signIns: signIns,
            provider: google?.settings.secret == nil ? nil : google,
            site: site,
            pages: pages,
            now: now
        )
        .add(to: routes)
        MailLinkPages(
            database: database,
            tokens: tokens,
            limits: limits,
            passwords: passwords,
            codes: codes,
            pages: pages,
            now: now
        )
        .add(to: routes)
    }
}

extension Server {
    var tending: OrganizationTending {
        OrganizationTending(pool: background, lookup: lookup, now: now, logger: logger)
    }

    /// Gives the connections back, once nobody asks any more.
    func close() async {
        await pool.close()
        await background.close()
    }

    /// What is done beside answering.
    var jobs: [any Service] {
        let limits = Limits(pool: background, key: tokens.limitKey, now: now)
        let folding = TallyFolding(pool: background)
        let finalising = SeasonFinalising(pool: background, now: now, logger: logger)
        let retention = Retention(pool: background, now: now)
        let readingKeys = keyFile.map { keyFile in
            RecurringJob(name: "read signing keys", interval: .seconds(60), logger: logger) { [tokens] in
                try await tokens.use(try keyFile.read())
            }
        }
        let delivering = delivery.map { delivery in
            RecurringJob(name: "deliver mail", interval: .seconds(2), logger: logger) {
                try await delivery.deliver()
            }
        }
        return [
            RecurringJob(name: "forget rate limits", interval: .seconds(60), logger: logger) {
                try await limits.forget()
            },
            RecurringJob(name: "fold counts", interval: .seconds(1), logger: logger) {
                try await folding.fold()
            },
            RecurringJob(name: "forget what is old", interval: .seconds(6 * 3600), logger: logger) {
                try await retention.forget()
            },
            RecurringJob(name: "tend to companies", interval: .seconds(600), logger: logger) { [tending] in
                try await tending.tend()
            },
            RecurringJob(name: "finalise seasons", interval: .seconds(300), logger: logger) {
                try await finalising.finalise()
            },
        ] + [readingKeys, delivering].compactMap(\.self)
    }

    /// The server that the settings describe, on the time of this machine.
    init(_ settings: Settings) async throws {
        var configuration = PGConfiguration(try settings.require(settings.databaseURL, "DATABASE_URL"))
        configuration.applicationName = "breathmaster"
        var logger = Logger(label: "breathmaster")
        logger.logLevel = settings.logLevel
        let pool = PGPool(configuration)
        configuration.poolName = "background"
        configuration.maximumConnections = 2
        // Jobs wait for one another.
        configuration.acquireTimeout = .seconds(30)
        let background = PGPool(configuration)
        let tokens = try await AccessTokens(try settings.keyFile.read(), now: { Date() })
        try self.init(
            pool: pool,
            background: background,
            tokens: tokens,
            keyFile: settings.keyFile,
            passwords: Passwords(try PasswordHashing()),
            site: settings.site,
            proxies: settings.trustedProxies,
            now: { Date() },
            logger: logger,
            connections: .ofThisProcess(),
            delivery: MailDelivery(
                pool: background,
                transport: settings.mailTransport,
                from: settings.mailFrom,
                templates: try MailTemplates(),
                codes: EmailCodes(key: tokens.emailCodeKey),
                links: MailLinks(site: settings.site, key: tokens.ticketKey),
                now: { Date() },
                logger: logger
            ),
            lookup: settings.lookup,
            google: settings.google
        )
    }
}
