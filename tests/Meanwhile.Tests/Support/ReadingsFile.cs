using System.Globalization;
using System.Numerics;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Tests.Support;

/// <summary>Looks into a database with another library than the program's own path, and recalculates.</summary>
internal static class ReadingsFile
{
    /// <summary>Runs a query, a text a row, columns separated by |.</summary>
    public static List<string> Query(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        return rows;
    }

    /// <summary>All readings: milliseconds and number.</summary>
    public static List<(long Time, double Value)> Readings(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT epochtime, number FROM messages";
        using var reader = command.ExecuteReader();
        List<(long, double)> readings = [];
        while (reader.Read())
            readings.Add(((long)Math.Round((decimal)reader.GetDouble(0) * 1000), reader.GetDouble(1)));
        return readings;
    }

    /// <summary>The mean by exact rational arithmetic, rounded once; null for none.</summary>
    public static double? ExactMean(IEnumerable<double> values)
    {
        var (sum, count) = (BigInteger.Zero, 0);
        foreach (var value in values)
        {
            sum += Scaled(value);
            count++;
        }
        if (count == 0)
            return null;
        // Scaled by 2^1074, which 10^400 outweighs by far: the quotient has more digits than any double needs.
        var digits = sum * BigInteger.Pow(10, 400) / (count * BigInteger.Pow(2, 1074));
        return double.Parse($"{digits}E-400", CultureInfo.InvariantCulture);
    }

    // Every double is a whole number of 2^-1074.
    private static BigInteger Scaled(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        var magnitude = new BigInteger(mantissa) << Math.Max(exponent - 1, 0);
        return bits < 0 ? -magnitude : magnitude;
    }
}
