namespace Meanwhile.Stores.Postgres;

/// <summary>Times in the tables are seconds, as the seed has them. Doubles hold every millisecond of the next three thousand years apart, in order.</summary>
internal static class EpochTime
{
    public static double Seconds(long milliseconds) => milliseconds / 1000.0;

    public static long Milliseconds(double seconds) => (long)Math.Round(seconds * 1000);
}
