using System.Text.Json;
using Meanwhile.Benchmarking.Hostile;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>
/// Each attack of <c>bench hostile</c> in a tiny version. What it asserts is no time: memory is bounded, nobody who means well is refused, the attacker gets nothing, what was
/// acknowledged is in the store, afterwards no connection is left and users can log in, and the server stops in good order.
/// </summary>
public sealed class HostileClientTests : ProgramTest
{
    private static readonly string[] Tiny = ["--sizes", "1", "--seconds", "0.1", "--rounds", "1"];

    /// <summary>All of them.</summary>
    public static TheoryData<string> Attacks => [.. HostileScenario.Attacks.Select(attack => attack.Key)];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Who_means_well_notices_nothing_that_lasts(string attack)
    {
        var bench = Meanwhile(["bench", "hostile", "--attacks", attack, .. Tiny, "--json", Folder["figures.json"]], ("TMPDIR", Folder.Path));
        Assert.True(await bench.ExitAsync(TimeSpan.FromMinutes(3)) == 0, bench.Output + bench.Error);
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(Folder["figures.json"], TestContext.Current.CancellationToken));
        var row = Assert.Single(Assert.Single(figures.RootElement.GetProperty("scenarios").EnumerateArray()).GetProperty("rows").EnumerateArray());
        Assert.Contains("\n" + row.GetProperty("name").GetString(), bench.Output, StringComparison.Ordinal);
        Assert.InRange(row.GetProperty("figures").GetProperty("peak").GetProperty("median").GetDouble(), 1, 300);
        Assert.Empty(Directory.EnumerateDirectories(Folder.Path, "meanwhile-bench-*"));
    }

    [Fact]
    public async Task An_attack_that_there_is_not_is_said_at_once()
    {
        var bench = Meanwhile(["bench", "hostile", "--attacks", "none,unknown", .. Tiny]);
        Assert.Equal(2, await bench.ExitAsync());
        Assert.Contains("--attacks: 'none,unknown' cannot be understood: expected names of attacks, and 'unknown' is none", bench.Error, StringComparison.Ordinal);
    }
}
