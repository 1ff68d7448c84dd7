using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Meanwhile.Access;

/// <summary>Records of logins, by address and user. Bounded: what was not used for longest is forgotten first.</summary>
internal sealed class LoginRecords
{
    private const int Most = 10_000;

    private static readonly TimeSpan LongestPauseOfUser = TimeSpan.FromSeconds(8);

    // Whoever tries one password on many users is slowed down as well; but somebody else may be at the same address, so it is by little.
    private const int HarmlessAtAddress = 100;
    private static readonly TimeSpan LongestPauseOfAddress = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(IPAddress Address, UInt128 User), LoginRecord> _records = [];

    /// <summary>The record of a user at an address, or, without a user, of the address, for one who waits.</summary>
    public LoginRecord Enter(IPAddress address, string? user)
    {
        ref var record = ref CollectionsMarshal.GetValueRefOrAddDefault(_records, KeyOf(address, user), out _);
        record ??= user is null ? new LoginRecord(HarmlessAtAddress, LongestPauseOfAddress) : new LoginRecord(harmless: 0, LongestPauseOfUser);
        record.Waiting++;
        return record;
    }

    /// <summary>One who waited has an answer, or is gone.</summary>
    public void Leave(IPAddress address, string? user, LoginRecord record)
    {
        record.Waiting--;
        if (record is { Waiting: 0, IsBlank: true })
            _records.Remove(KeyOf(address, user));
        // Checks take a tenth of a second, and blank records go at once: a search at each is no burden.
        else if (_records.Count > Most)
            _records.Remove(_records.Where(other => other.Value.Waiting == 0).MinBy(other => other.Value.LastUse).Key);
    }

    /// <summary>What counts as one address: a network of IPv6 gives everybody 64 bits of them.</summary>
    public static IPAddress SourceOf(IPAddress? address)
    {
        if (address is null)
            return IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    // A name may be 65,535 bytes long, and ten thousand of them are remembered.
    private static (IPAddress, UInt128) KeyOf(IPAddress address, string? user) =>
        (address, user is null ? default : MemoryMarshal.Read<UInt128>(SHA256.HashData(Encoding.UTF8.GetBytes(user))));
}
