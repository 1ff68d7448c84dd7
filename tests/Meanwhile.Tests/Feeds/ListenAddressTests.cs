using Meanwhile.Feeds;

namespace Meanwhile.Tests.Feeds;

public class ListenAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("[::]:1883", "[::]:1883")]
    [InlineData("mqtt://127.0.0.1:1883/", "127.0.0.1:1883")]
    [InlineData("127.0.0.1:1883, wss://0.0.0.0:8884,mqtts://[::1]:8883,ws://127.0.0.1:80", "127.0.0.1:1883 wss://0.0.0.0:8884 mqtts://[::1]:8883 ws://127.0.0.1:80")]
    public void Addresses_to_listen_at_are_ip_addresses_and_ports_perhaps_with_a_scheme(string text, string meant) =>
        Assert.Equal(meant, string.Join(' ', ListenAddress.ParseList(text)));

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1")]
    [InlineData("1883")]
    [InlineData("localhost:1883")]
    [InlineData("http://127.0.0.1:80")]
    [InlineData("127.0.0.1:1883,")]
    [InlineData("ws://127.0.0.1:80/mqtt")]
    public void Others_are_refused(string text) => Assert.Throws<FormatException>(() => ListenAddress.ParseList(text));
}
