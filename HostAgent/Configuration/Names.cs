using System.Security.Cryptography;
using System.Text;

namespace Hosting.HostAgent.Configuration;

/// <summary>
/// Names of what the agent makes on the machine. They start with a hash of state directory, region and server, so that several
/// agents and several stacks on one machine never meet, and everything of one agent can be found again.
/// </summary>
internal sealed class Names
{
    public Names(string stateDirectory, string region, string server) =>
        Stack = $"{Hash($"{stateDirectory}\n{region}\n{server}", 8)}-{server}";

    /// <summary>Short name of the agent on this machine: eight hexadecimal digits and the server's name.</summary>
    public string Stack { get; }

    /// <summary>Name of the server's control groups, without a leading slash.</summary>
    public string Group => $"hosting-{Stack}";

    /// <summary>Name of a VM, unique on the machine: its network namespace, the comment of its firewall rules, its label in the engine.</summary>
    public string Vm(string vm) => $"hosting-{Stack}-{vm}";

    /// <summary>Name of the host's end of a VM's network cable; the kernel allows 15 characters.</summary>
    public string Veth(string vm) => $"ho{Hash(Vm(vm), 10)}";

    private static string Hash(string text, int digits) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..digits];
}
