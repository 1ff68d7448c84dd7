using System.Globalization;
using System.Security.Cryptography;

namespace Meanwhile.Access;

/// <summary>A password as a file may hold it: <c>$pbkdf2-sha512$i=210000$SALT$HASH</c>, salted, and slow to guess.</summary>
internal sealed class PasswordHash
{
    /// <summary>What OWASP recommends for PBKDF2 with SHA-512.</summary>
    public const int RecommendedIterations = 210_000;

    private const string Scheme = "pbkdf2-sha512";
    private const int SaltLength = 16;
    private const int HashLength = 32;
    private const int MostIterations = 10_000_000; // A file must not be able to stop the broker.

    // For passwords that were right before: so that thousands of devices that come back at once do not wait for each other. It never leaves this process.
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private readonly int _iterations;
    private readonly byte[] _salt;
    private readonly byte[] _hash;
    private volatile byte[]? _known;

    private PasswordHash(int iterations, byte[] salt, byte[] hash) => (_iterations, _salt, _hash) = (iterations, salt, hash);

    /// <summary>Hashes a password.</summary>
    public static PasswordHash Of(ReadOnlySpan<byte> password, int iterations = RecommendedIterations)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        return new PasswordHash(iterations, salt, Derive(password, salt, iterations));
    }

    /// <summary>One that no password fits, as slow as others: users that are unknown must not be told by the time it takes.</summary>
    public static PasswordHash OfNobody { get; } = new(RecommendedIterations, RandomNumberGenerator.GetBytes(SaltLength), RandomNumberGenerator.GetBytes(HashLength));

    /// <summary>Reads one; null for anything else.</summary>
    public static PasswordHash? TryParse(string text)
    {
        if (text.Split('$') is not ["", Scheme, ['i', '=', .. var iterations], var salt, var hash])
            return null;
        if (!int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > MostIterations)
            return null;
        return Decode(salt) is { Length: >= 8 } saltBytes && Decode(hash) is { Length: HashLength } hashBytes ? new PasswordHash(count, saltBytes, hashBytes) : null;
    }

    /// <summary>Whether a password was found right before. Takes no time worth mentioning.</summary>
    public bool Remembers(ReadOnlySpan<byte> password) => _known is { } known && CryptographicOperations.FixedTimeEquals(known, Digest(password));

    /// <summary>Whether it is the password. Takes a tenth of a second or so.</summary>
    public bool Matches(ReadOnlySpan<byte> password)
    {
        if (!CryptographicOperations.FixedTimeEquals(_hash, Derive(password, _salt, _iterations)))
            return false;
        _known = Digest(password);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"${Scheme}$i={_iterations}${Encode(_salt)}${Encode(_hash)}");

    private byte[] Digest(ReadOnlySpan<byte> password)
    {
        byte[] salted = [.. _salt, .. password];
        return HMACSHA256.HashData(Key, salted);
    }

    private static byte[] Derive(ReadOnlySpan<byte> password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, HashLength);

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length];
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64Chars(padded, bytes, out var length) ? bytes[..length] : null;
    }
}
