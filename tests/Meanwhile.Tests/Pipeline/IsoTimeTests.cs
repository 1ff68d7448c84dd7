using System.Globalization;
using System.Text;
using CsCheck;
using Meanwhile.Pipeline;
using NodaTime;
using NodaTime.Calendars;
using NodaTime.Text;

namespace Meanwhile.Tests.Pipeline;

/// <summary>Times as texts, judged by another library's reader.</summary>
public sealed class IsoTimeTests
{
    private const int Samples = 50_000;

    // A text of a part, and the pattern by which NodaTime reads it.
    private static readonly Gen<(string Text, string Pattern)> Dates =
        from year in Gen.Int[1, 9999]
        from month in Gen.Int[0, 13]
        from day in Gen.Int[0, 32]
        from pattern in Gen.OneOf("{0:0000}-{1:00}-{2:00}|uuuu'-'MM'-'dd", "{0:0000}{1:00}{2:00}|uuuuMMdd")
        select Fill(pattern, year, month, day);

    private static readonly Gen<(string Text, string Pattern)> Clocks =
        from hour in Gen.Int[0, 25]
        from minute in Gen.Frequency((9, Gen.Int[0, 59]), (1, Gen.Int[60, 99]))
        from second in Gen.Frequency((9, Gen.Int[0, 59]), (1, Gen.Int[61, 99]))
        from fraction in Gen.String[Gen.Char['0', '9'], 0, 9]
        from mark in Gen.OneOf('.', ',')
        from pattern in Gen.OneOf(
            "{0:00}:{1:00}:{2:00}|HH':'mm':'ss", "{0:00}{1:00}{2:00}|HHmmss", "{0:00}:{1:00}|HH':'mm", "{0:00}{1:00}|HHmm", "{0:00}|HH")
        let clock = Fill(pattern, hour, minute, second)
        select fraction.Length > 0 && pattern.Contains("ss", StringComparison.Ordinal) ? ($"{clock.Text}{mark}{fraction}", clock.Pattern + ";FFFFFFFFF") : clock;

    private static readonly Gen<(string Text, string Pattern)> Zones =
        from hours in Gen.Frequency((9, Gen.Int[0, 17]), (1, Gen.Int[24, 99]))
        from minutes in Gen.Int[0, 70]
        from seconds in Gen.Int[0, 70]
        from sign in Gen.OneOf('+', '-')
        from space in Gen.OneOf("", " ")
        from pattern in Gen.OneOf(
            "{3}{0:00}|o<+HH>", "{3}{0:00}{1:00}|o<+HHmm>", "{3}{0:00}:{1:00}|o<+HH:mm>", "{3}{0:00}:{1:00}:{2:00}|o<+HH:mm:ss>", "Z|o<Z+HH>", "z|'z'", "UTC|'UTC'")
        let zone = Fill(pattern, hours, minutes, seconds, sign)
        select (space + zone.Text, space + zone.Pattern);

    [Fact]
    public void What_another_library_reads_is_read_the_same_and_what_it_refuses_is_refused()
    {
        var read = 0;
        Gen.Select(Dates, Gen.OneOf("T", "t", " "), Clocks, Zones).Sample(
            (date, separator, clock, zone) =>
            {
                var pattern = OffsetDateTimePattern.CreateWithInvariantCulture($"{date.Pattern}'{separator}'{clock.Pattern}{zone.Pattern}");
                var expected = pattern.Parse(date.Text + separator + clock.Text + zone.Text);
                var isRead = IsoTime.TryParse(Encoding.UTF8.GetBytes(date.Text + separator + clock.Text + zone.Text), out var milliseconds);
                Interlocked.Add(ref read, isRead ? 1 : 0);
                return isRead == expected.Success && (!isRead || milliseconds == Milliseconds(expected.Value.ToInstant()));
            },
            iter: Samples);
        Assert.InRange(read, Samples / 10, Samples * 9 / 10);
    }

    [Fact]
    public void Weeks_and_days_of_the_year_are_those_of_another_librarys_calendar() => Gen.Select(Gen.Int[1, 9998], Gen.Int[1, 366]).Sample(
        (year, day) =>
        {
            var date = new LocalDate(year, 1, 1).PlusDays(day - 1);
            var (weekYear, week) = (WeekYearRules.Iso.GetWeekYear(date), WeekYearRules.Iso.GetWeekOfWeekYear(date));
            var expected = Milliseconds(date.AtMidnight().InUtc().ToInstant());
            return weekYear == 0 || (
                Read($"{date.Year:0000}-{date.DayOfYear:000}T00Z") == expected
                && Read($"{date.Year:0000}{date.DayOfYear:000}T00Z") == expected
                && Read($"{weekYear:0000}-W{week:00}-{(int)date.DayOfWeek}T00Z") == expected
                && Read($"{weekYear:0000}W{week:00}{(int)date.DayOfWeek}T00Z") == expected);
        },
        iter: Samples);

    [Fact]
    public void Second_60_is_the_last_millisecond_of_any_minute() => Gen.Select(Gen.Long[0, 4_000_000_000], Gen.OneOf("", ".0", ",999999")).Sample(
        (second, fraction) =>
        {
            var minute = Instant.FromUnixTimeSeconds(second - (second % 60));
            return Read(minute.ToString("uuuu'-'MM'-'dd'T'HH':'mm", CultureInfo.InvariantCulture) + $":60{fraction}Z") == Milliseconds(minute) + 59_999;
        },
        iter: Samples);

    [Fact]
    public void Nothing_at_all_makes_it_fail() =>
        Gen.String[Gen.OneOf(Gen.Char["0123456789"], Gen.Char["0123456789:-+.,TZW \u00e9"]), 0, 40].Sample(text => { Read(text); }, iter: Samples);

    private static long? Read(string text) => IsoTime.TryParse(Encoding.UTF8.GetBytes(text), out var milliseconds) ? milliseconds : null;

    // Instants are cut off towards the past.
    private static long Milliseconds(Instant instant) => instant.ToUnixTimeMilliseconds();

    private static (string Text, string Pattern) Fill(string pattern, params object[] parts)
    {
        var halves = pattern.Split('|');
        return (string.Format(CultureInfo.InvariantCulture, halves[0], parts), halves[1]);
    }
}
