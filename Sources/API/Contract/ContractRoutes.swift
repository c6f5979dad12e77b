import CContract
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What the server promises: `openapi.yaml`, and the same as a page to read.
struct ContractRoutes: Sendable {
    private let document, page: ContractText

    init(_ site: Site) {
        let page = contract_page()
        document = ContractText(contract_document(), type: "application/yaml", style: nil, site)
        self.page = ContractText(
            page,
            type: "text/html; charset=utf-8",
            style: page.data.styleHash,
            site
        )
    }

    func add(to routes: some RouterMethods<AppContext>) {
        routes.get("openapi.yaml", use: readDocument)
        routes.get("docs", use: readPage)
    }

    /// `GET /openapi.yaml`: for programs. For web pages of others too: it is no secret, and
    /// there are tools that run in a browser.
    @Sendable func readDocument(_ request: Request, in context: AppContext) async throws -> Response {
        var response = document.response(to: request)
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }

    /// `GET /docs`: for people. The page runs no script and loads nothing.
    @Sendable func readPage(_ request: Request, in context: AppContext) async throws -> Response {
        page.response(to: request)
    }
}

/// A text that is part of the program.
private struct ContractText {
    private let bytes: ByteBuffer
    private let entityTag: String
    private let headers: HTTPFields

    /// - Parameter style: by which a Content-Security-Policy knows its own style, if it has one.
    init(_ text: contract_text, type: String, style: String?, _ site: Site) {
        let data = text.data
        bytes = ByteBuffer(bytes: data)
        entityTag =
            "\"" + SHA256.hash(data: data).prefix(8).map { String(format: "%02x", $0) }.joined() + "\""
        var headers = HTTPFields.ofPage(style: style, forms: "'none'", isSecure: site.isSecure)
        (headers[.contentType], headers[.eTag], headers[.cacheControl]) = (type, entityTag, "no-cache")
        self.headers = headers
    }

    func response(to request: Request) -> Response {
        if request.headers[.ifNoneMatch].map({ $0 == "*" || $0.contains(entityTag) }) ?? false {
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}

extension contract_text {
    fileprivate var data: Data { Data(UnsafeBufferPointer(start: start, count: length)) }
}

extension Data {
    /// The SHA-256 of the one style of a page, in Base64.
    fileprivate var styleHash: String {
        let style = String(decoding: self, as: UTF8.self).firstMatch(of: /(?s)<style>(.*?)<\/style>/)?.1 ?? ""
        return Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
    }
}
