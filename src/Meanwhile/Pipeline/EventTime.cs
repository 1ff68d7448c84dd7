using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Meanwhile.Pipeline;

/// <summary>Reads the time of a reading: a number since the Unix epoch, or an ISO 8601 text with a zone. The result is in milliseconds.</summary>
internal static class EventTime
{
    private const decimal SecondsBelow = 1e11m;
    private const decimal MillisecondsBelow = 1e14m;
    private const decimal MicrosecondsBelow = 1e17m;
    private const decimal NanosecondsBelow = 1e20m;

    private static readonly string[] IsoFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
        "yyyyMMdd'T'HHmmss.FFFFFFFK", "yyyyMMdd'T'HHmmK",
    ];

    /// <summary>Reads a time; finer parts than a millisecond are cut off.</summary>
    /// <param name="text">UTF-8, without quotes.</param>
    /// <param name="milliseconds">Since the Unix epoch.</param>
    /// <returns>False when it is no time.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds) =>
        TryParseNumber(text, out milliseconds) || TryParseIso(text, out milliseconds);

    private static bool TryParseNumber(ReadOnlySpan<byte> text, out long milliseconds)
    {
        if (Utf8Parser.TryParse(text, out milliseconds, out var consumed) && consumed == text.Length)
        {
            milliseconds = ToMilliseconds(milliseconds);
            return true;
        }
        milliseconds = 0;
        // A decimal holds 28 digits exactly, where a double would move a time of many digits by a fraction of a microsecond.
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return false;

        // Seconds, milli-, micro- or nanoseconds are told apart by magnitude.
        var magnitude = Math.Abs(number);
        decimal? inMilliseconds =
            magnitude < SecondsBelow ? number * 1000
            : magnitude < MillisecondsBelow ? number
            : magnitude < MicrosecondsBelow ? number / 1000
            : magnitude < NanosecondsBelow ? number / 1_000_000
            : null;
        if (inMilliseconds is not { } value)
            return false;
        milliseconds = (long)Math.Floor(value);
        return true;
    }

    // Most times are whole numbers, and whole arithmetic is many times faster.
    private static long ToMilliseconds(long number) => Math.Abs(Math.Max(number, -long.MaxValue)) switch
    {
        < (long)SecondsBelow => number * 1000,
        < (long)MillisecondsBelow => number,
        < (long)MicrosecondsBelow => FloorDivide(number, 1000),
        _ => FloorDivide(number, 1_000_000),
    };

    private static long FloorDivide(long number, long divisor)
    {
        var (quotient, rest) = Math.DivRem(number, divisor);
        return rest < 0 ? quotient - 1 : quotient;
    }

    private static bool TryParseIso(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        Span<char> characters = stackalloc char[40];
        if (text.Length is < 14 or > 40 || !Encoding.UTF8.TryGetChars(text, characters, out var length) || !HasZone(characters[..length]))
            return false;
        length = CutFraction(characters[..length]);
        if (!DateTimeOffset.TryParseExact(characters[..length], IsoFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return false;
        milliseconds = time.ToUnixTimeMilliseconds();
        return true;
    }

    // Nine digits are common, and .NET reads seven.
    private static int CutFraction(Span<char> text)
    {
        const int Longest = 7;
        var start = text.IndexOf('.') + 1;
        var digits = start == 0 ? 0 : text[start..].IndexOfAnyExceptInRange('0', '9');
        if (digits <= Longest)
            return text.Length;
        text[(start + digits)..].CopyTo(text[(start + Longest)..]);
        return text.Length - (digits - Longest);
    }

    // K also accepts a text without a zone and takes it for local time: the machine's zone must not decide what a reading means.
    private static bool HasZone(ReadOnlySpan<char> text)
    {
        var clock = text[11..];
        return clock[^1] is 'Z' or 'z' || clock.IndexOfAny('+', '-') >= 0;
    }
}
