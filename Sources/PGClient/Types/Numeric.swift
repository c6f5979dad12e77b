/// A `numeric`: a decimal number, exact to its last digit, or NaN or an infinity.
///
/// Values compare as the server compares them: 1.0 equals 1.00, though they are printed differently; NaN
/// equals itself and is greater than everything else.
public struct PGNumeric: Sendable {
    private let sign: Sign
    /// The power of 10,000 that the first digit counts; 0 if there is no digit.
    private let weight: Int
    /// In base 10,000, without zeros at either end, so that equal values have equal digits.
    private let digits: [UInt16]
    /// How many decimals after the point are printed, 0 to 16,383: 2 for 1.00.
    public let scale: Int

    /// In their order; zero is positive.
    private enum Sign: CaseIterable, Comparable {
        case negativeInfinity, negative, positive, infinity, nan

        var word: UInt16 {
            switch self {
            case .positive: 0x0000
            case .negative: 0x4000
            case .nan: 0xC000
            case .infinity: 0xD000
            case .negativeInfinity: 0xF000
            }
        }
    }

    /// Not a number.
    public static let nan = PGNumeric(special: .nan)
    /// Above every number. A server older than Postgres 14 refuses it.
    public static let infinity = PGNumeric(special: .infinity)
    /// Below every number. A server older than Postgres 14 refuses it.
    public static let negativeInfinity = PGNumeric(special: .negativeInfinity)

    private init(special sign: Sign) {
        self.sign = sign
        weight = 0
        digits = []
        scale = 0
    }

    /// The number with these digits, which may have zeros at either end. Nil if the server couldn't hold it,
    /// or if the scale would hide a digit.
    private init?(_ sign: Sign, weight: Int, digits: some Collection<UInt16>, scale: Int) {
        let trimmed = digits.drop { $0 == 0 }
        self.weight = trimmed.isEmpty ? 0 : weight - (digits.count - trimmed.count)
        self.digits = trimmed.reversed().drop { $0 == 0 }.reversed()
        self.sign = trimmed.isEmpty ? .positive : sign
        self.scale = scale
        guard 0...16_383 ~= scale, self.weight <= Int16.max else { return nil }
        guard let last = self.digits.last else { return }
        let hidden = 4 * (self.digits.count - 1 - self.weight) - scale
        guard hidden <= 0 || hidden < 4 && last.isMultiple(of: [1, 10, 100, 1000][hidden]) else { return nil }
    }
}

extension PGNumeric: LosslessStringConvertible {
    /// As the server prints it: `-1200.50`, never with an exponent, or `NaN`, `Infinity`, `-Infinity`.
    public var description: String {
        switch sign {
        case .nan: return "NaN"
        case .infinity: return "Infinity"
        case .negativeInfinity: return "-Infinity"
        case .positive, .negative: break
        }
        var text = sign == .negative ? "-" : ""
        text += weight < 0 ? "0" : "\(digit(weight))"
        for power in stride(from: weight - 1, through: 0, by: -1) {
            text += padded(digit(power))
        }
        guard scale > 0 else { return text }
        var decimals = ""
        for power in 1...(scale + 3) / 4 {
            decimals += padded(digit(-power))
        }
        return text + "." + decimals.prefix(scale)
    }

    private func digit(_ power: Int) -> UInt16 {
        let index = weight - power
        return digits.indices.contains(index) ? digits[index] : 0
    }

    private func padded(_ digit: UInt16) -> Substring {
        "\(10_000 + digit)".dropFirst()
    }

    /// Reads `12`, `-0.50`, `.5`, `1.2e-3`, `NaN`, `Infinity` and `-Infinity`, keeping the decimals that are
    /// written. Nil for anything else, and for more than the server holds: 131,072 digits before the point
    /// and 16,383 after it.
    public init?(_ description: String) {
        let specials: [PGNumeric] = [.nan, .infinity, .negativeInfinity]
        if let special = specials.first(where: { $0.description == description }) {
            self = special
            return
        }
        var rest = description.utf8[...]
        let sign = rest.first == UInt8(ascii: "-") ? Sign.negative : .positive
        if sign == .negative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let mantissa = rest.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        var exponent = 0
        if mantissa.endIndex < rest.endIndex {
            // The server's own bounds; beyond them, sums of lengths and exponents could overflow.
            guard let written = Int(Substring(rest[mantissa.endIndex...].dropFirst())),
                written.magnitude < Int32.max / 2
            else { return nil }
            exponent = written
        }
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        let fraction = mantissa[whole.endIndex...].dropFirst()
        let decimals = Array(whole) + fraction
        guard !decimals.isEmpty, decimals.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        // Zeros in front make the point fall between two digits in base 10,000.
        let point = whole.count + exponent
        let padding = -point & 3
        let digits = stride(from: -padding, to: decimals.count, by: 4).map { start in
            (start..<start + 4).reduce(0 as UInt16) { digit, index in
                digit * 10 + (decimals.indices.contains(index) ? UInt16(decimals[index] & 0x0F) : 0)
            }
        }
        self.init(
            sign,
            weight: (point + padding) / 4 - 1,
            digits: digits,
            scale: max(0, fraction.count - exponent)
        )
    }
}

extension PGNumeric: ExpressibleByIntegerLiteral {
    /// An integer as it is written.
    public init(integerLiteral integer: Int) {
        self.init(integer)
    }

    /// The integer exactly. It must have no more than 131,072 digits, as those of Swift's own types have.
    public init(_ integer: some BinaryInteger) {
        guard let numeric = PGNumeric(String(integer)) else {
            preconditionFailure("no numeric has as many digits as this integer")
        }
        self = numeric
    }

    fileprivate var hasFraction: Bool { digits.count > weight + 1 }
}

extension FixedWidthInteger {
    /// The same integer; nil if the number has a fraction, doesn't fit, or is NaN or infinite.
    public init?(exactly numeric: PGNumeric) {
        guard !numeric.hasFraction else { return nil }
        self.init(numeric.description.prefix { $0 != "." })
    }
}

extension Double {
    /// The nearest double: infinite for a number that is too large for one, and NaN for NaN.
    public init(_ numeric: PGNumeric) {
        self = Double(numeric.description) ?? .nan
    }
}

extension PGNumeric: Hashable, Comparable {
    /// Whether the values are equal, whatever their scales.
    public static func == (left: PGNumeric, right: PGNumeric) -> Bool {
        left.sign == right.sign && left.weight == right.weight && left.digits == right.digits
    }

    /// Equal values hash equally, whatever their scales.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(sign)
        hasher.combine(weight)
        hasher.combine(digits)
    }

    /// The order of the server: −Infinity, the numbers, Infinity, NaN.
    public static func < (left: PGNumeric, right: PGNumeric) -> Bool {
        guard left.sign == right.sign else { return left.sign < right.sign }
        return left.sign == .negative ? right.isNearerToZero(than: left) : left.isNearerToZero(than: right)
    }

    private func isNearerToZero(than other: PGNumeric) -> Bool {
        guard !digits.isEmpty, !other.digits.isEmpty else { return digits.count < other.digits.count }
        guard weight == other.weight else { return weight < other.weight }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}

extension PGNumeric: PGEncodable, PGDecodable, PGArrayElement {
    /// `numeric`
    public static var pgType: PGType { .numeric }
    /// `numeric[]`
    public static var pgArrayType: PGType { .numericArray }

    /// The number of digits, the weight, the sign and the scale; then the digits.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(UInt16(digits.count))
        buffer.append(Int16(weight))
        buffer.append(sign.word)
        buffer.append(UInt16(scale))
        for digit in digits { buffer.append(digit) }
    }

    /// Reads a `numeric`.
    public init(from cell: PGCell) throws {
        let bytes = try cell.required(.numeric)
        guard bytes.count >= 8, bytes.count.isMultiple(of: 2) else {
            throw PGDecodingError("\(bytes.count) bytes")
        }
        let words = stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt16.self))
        }
        let digits = words.dropFirst(4)
        guard digits.count == words[0] else {
            throw PGDecodingError("\(digits.count) digits instead of \(words[0])")
        }
        guard let sign = Sign.allCases.first(where: { $0.word == words[2] }) else {
            throw PGDecodingError("its sign \(words[2]) is unknown")
        }
        guard sign == .positive || sign == .negative else {
            // Its scale means nothing: the server sends 32 with an infinity.
            guard digits.isEmpty else { throw PGDecodingError("it has digits and isn't finite") }
            self.init(special: sign)
            return
        }
        let weight = Int(Int16(bitPattern: words[1]))
        guard digits.allSatisfy({ $0 < 10_000 }),
            let value = PGNumeric(sign, weight: weight, digits: digits, scale: Int(words[3]))
        else { throw PGDecodingError("its digits are malformed") }
        self = value
    }
}
