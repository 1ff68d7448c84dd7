namespace Meanwhile.Windows.Tests;

/// <summary>Randomness that can be replayed: a failing test shows its seed, and MEANWHILE_SEED in the environment fixes it.</summary>
internal static class Seeds
{
    public static Random Next()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MEANWHILE_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"MEANWHILE_SEED={seed}");
        return new Random(seed);
    }
}
