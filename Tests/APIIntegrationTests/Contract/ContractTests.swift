import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// `openapi.yaml` as the server serves it, and the page for people.
struct ContractTests {
    private struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
    }

    private static func get(_ path: String, _ headers: HTTPFields = [:], from client: Client) async throws
        -> Answer
    {
        try await client.client.execute(uri: path, method: .get, headers: headers, body: nil) { response in
            Answer(
                status: response.status.code,
                headers: response.headers,
                text: String(buffer: response.body)
            )
        }
    }

    @Test func `the contract is the file of the project, for everybody and every web page`() async throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let file = try String(contentsOf: root.appending(path: "openapi.yaml"), encoding: .utf8)
        try await TestServer().run { nobody in
            let answer = try await Self.get("/openapi.yaml", from: nobody)
            #expect(answer.status == 200)
            #expect(answer.text == file)
            #expect(answer.headers[.contentType] == "application/yaml")
            #expect(answer.headers[.accessControlAllowOrigin] == "*")
        }
    }

    @Test func `the page may run no script, load nothing and be in no frame`() async throws {
        try await TestServer().run { nobody in
            let page = try await Self.get("/docs", from: nobody)
            #expect(page.status == 200)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.xContentTypeOptions] == "nosniff")
            let style = try #require(page.text.firstMatch(of: /(?s)<style>(.*?)<\/style>/)).1
            let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
            #expect(
                page.headers[.contentSecurityPolicy]
                    == "default-src 'none'; style-src 'sha256-\(hash)'; form-action 'none'; base-uri 'none'; "
                    + "frame-ancestors 'none'"
            )
            // What the policy would refuse isn't there.
            #expect(page.text.firstMatch(of: /<script|<link|<img|<style>.*<style>|style="| on[a-z]+=/) == nil)
        }
    }

    @Test(arguments: ["/docs", "/openapi.yaml", "/device"])
    func `what a browser may open has the headers of a page, also where it is sent nothing new`(
        path: String
    ) async throws {
        for (site, isSecure) in [("https://breath.example.org", true), ("http://breathmaster.test", false)] {
            try await TestServer(site: site).run { nobody in
                var answers = [try await Self.get(path, from: nobody)]
                if let tag = answers[0].headers[.eTag] {
                    answers.append(try await Self.get(path, [.ifNoneMatch: tag], from: nobody))
                    #expect(answers[1].status == 304)
                }
                for headers in answers.map(\.headers) {
                    let policy = try #require(headers[.contentSecurityPolicy])
                    #expect(policy.hasPrefix("default-src 'none'; "))
                    #expect(policy.hasSuffix("base-uri 'none'; frame-ancestors 'none'"))
                    #expect(headers[.xContentTypeOptions] == "nosniff")
                    #expect(headers[.referrerPolicy] == "no-referrer")
                    #expect(headers[.crossOriginOpenerPolicy] == "same-origin")
                    let expected = isSecure ? "max-age=31536000; includeSubDomains" : nil
                    #expect(headers[.strictTransportSecurity] == expected)
                }
            }
        }
    }

    @Test func `the page has every operation, and what it links to within itself is there`() async throws {
        try await TestServer().run { nobody in
            let contract = try await Self.get("/openapi.yaml", from: nobody).text
            let page = try await Self.get("/docs", from: nobody).text
            let anchors = Set(page.matches(of: /id="([^"]+)"/).map { String($0.1) })
            let operations = contract.matches(of: /operationId: (\w+)/).map { String($0.1) }
            #expect(operations.count > 50)
            for operation in operations { #expect(anchors.contains(operation)) }
            for link in page.matches(of: /href="#([^"]+)"/) { #expect(anchors.contains(String(link.1))) }
        }
    }

    @Test(arguments: ["/openapi.yaml", "/docs"])
    func `who has a text already is not sent it again`(path: String) async throws {
        try await TestServer().run { nobody in
            let tag = try #require(try await Self.get(path, from: nobody).headers[.eTag])
            let again = try await Self.get(path, [.ifNoneMatch: tag], from: nobody)
            #expect(again.status == 304)
            #expect(again.text.isEmpty)
            #expect(try await Self.get(path, [.ifNoneMatch: "\"another\""], from: nobody).status == 200)
        }
    }
}
