using System.Globalization;

namespace Meanwhile.Pipeline;

/// <summary>
/// Reads ISO 8601 times with a zone, in the forms that programs write: a date (calendar, ordinal or week), T or a space, a time of day, and Z, UTC, GMT or an
/// offset of two, four or six digits, which a space may stand before. Each part may be extended or basic, and the last part of the time has a fraction if it wants one.
/// </summary>
internal ref struct IsoTime
{
    private const int Second = 1000;
    private const int Minute = 60 * Second;
    private const int Hour = 60 * Minute;
    private const long Day = 24L * Hour;
    private const int MostDigits = 12; // Of a fraction: as many, times an hour, fit into a long, and the others are far below a millisecond.

    private static readonly int FirstDay = new DateOnly(1970, 1, 1).DayNumber;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Reads a time; finer parts than a millisecond are cut off, and second 60 is the last millisecond of its minute.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="milliseconds">Since the Unix epoch.</param>
    /// <returns>False when it is none, or has no zone: the machine's zone must not decide what a reading means.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds)
    {
        var reader = new IsoTime { _rest = text };
        milliseconds = 0;
        if (!reader.TryDate(out var day) || !(reader.TrySkip('T') || reader.TrySkip('t') || reader.TrySkip(' ')) || !reader.TryTimeOfDay(out var ofDay))
            return false;
        reader.TrySkip(' ');
        if (!reader.TryZone(out var offset) || !reader._rest.IsEmpty)
            return false;
        milliseconds = ((day - FirstDay) * Day) + ofDay - offset;
        return true;
    }

    private bool TryDate(out int day)
    {
        day = 0;
        if (!TryDigits(4, out var year) || year == 0)
            return false;
        var isExtended = TrySkip('-');
        if (TrySkip('W'))
            return TryDayOfWeek(year, isExtended, out day);
        var isOrdinal = CountDigits() == 3;
        var (month, _) = (1, 1);
        int ofMonth;
        if (!(isOrdinal ? TryDigits(3, out ofMonth) : TryDigits(2, out month) && TrySkipIf(isExtended, '-') && TryDigits(2, out ofMonth)))
            return false;
        if (month is < 1 or > 12 || ofMonth < 1 || ofMonth > (isOrdinal ? new DateOnly(year, 12, 31).DayOfYear : DateTime.DaysInMonth(year, month)))
            return false;
        day = new DateOnly(year, month, 1).DayNumber + ofMonth - 1;
        return true;
    }

    // Week 1 is the one with January 4, and begins on a Monday.
    private bool TryDayOfWeek(int year, bool isExtended, out int day)
    {
        day = 0;
        if (!TryDigits(2, out var week) || !TrySkipIf(isExtended, '-') || !TryDigits(1, out var ofWeek))
            return false;
        var january4 = new DateOnly(year, 1, 4);
        day = january4.DayNumber - (((int)january4.DayOfWeek + 6) % 7) + (7 * (week - 1)) + ofWeek - 1;
        return week >= 1 && week <= ISOWeek.GetWeeksInYear(year) && ofWeek is >= 1 and <= 7;
    }

    private bool TryTimeOfDay(out long milliseconds)
    {
        milliseconds = 0;
        if (!TryDigits(2, out var hour))
            return false;
        var isExtended = _rest is [(byte)':', ..];
        var hasMinute = TryPart(isExtended, out var minute);
        var second = 0;
        var hasSecond = hasMinute && TryPart(isExtended, out second);
        if (!TryFraction(hasSecond ? Second : hasMinute ? Minute : Hour, out var fraction))
            return false;
        if (second == 60)
            (second, fraction) = (59, Second - 1);
        milliseconds = (hour * Hour) + (minute * Minute) + (second * Second) + fraction;
        return minute <= 59 && second <= 59 && milliseconds <= Day && (hour < 24 || milliseconds == Day);
    }

    private bool TryZone(out long milliseconds)
    {
        milliseconds = 0;
        if (TrySkip('Z') || TrySkip('z'))
            return true;
        if (_rest.SequenceEqual("UTC"u8) || _rest.SequenceEqual("GMT"u8))
        {
            _rest = default;
            return true;
        }
        var isBehind = TrySkip('-');
        if (!(isBehind || TrySkip('+')) || !TryDigits(2, out var hours))
            return false;
        var isExtended = _rest is [(byte)':', ..];
        var seconds = 0;
        if (TryPart(isExtended, out var minutes))
            TryPart(isExtended, out seconds);
        milliseconds = (isBehind ? -1 : 1) * ((hours * Hour) + (minutes * Minute) + (seconds * Second));
        return hours <= 23 && minutes <= 59 && seconds <= 59;
    }

    // The next two digits, after a colon in the extended form. Nothing is read when they are not there.
    private bool TryPart(bool isExtended, out int value)
    {
        var before = _rest;
        if (TrySkipIf(isExtended, ':') && TryDigits(2, out value))
            return true;
        _rest = before;
        value = 0;
        return false;
    }

    // False for a mark that no digit follows; nothing at all is a fraction of zero.
    private bool TryFraction(int unit, out long milliseconds)
    {
        milliseconds = 0;
        if (!TrySkip('.') && !TrySkip(','))
            return true;
        var length = CountDigits();
        var (number, scale) = (0L, 1L);
        foreach (var digit in _rest[..Math.Min(length, MostDigits)])
            (number, scale) = ((number * 10) + (digit - '0'), scale * 10);
        milliseconds = number * unit / scale;
        _rest = _rest[length..];
        return length > 0;
    }

    private bool TryDigits(int number, out int value)
    {
        value = 0;
        if (_rest.Length < number)
            return false;
        foreach (var digit in _rest[..number])
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + (digit - '0');
        }
        _rest = _rest[number..];
        return true;
    }

    private readonly int CountDigits()
    {
        var end = _rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? _rest.Length : end;
    }

    private bool TrySkipIf(bool isThere, char character) => !isThere || TrySkip(character);

    private bool TrySkip(char character)
    {
        if (_rest.IsEmpty || _rest[0] != character)
            return false;
        _rest = _rest[1..];
        return true;
    }
}
