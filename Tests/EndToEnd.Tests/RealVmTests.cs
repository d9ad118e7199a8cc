using System.Text.Json.Nodes;
using Hosting.Support;

namespace Hosting.EndToEnd.Tests;

/// <summary>A server's VMs follow its configuration: a real one comes, serves and goes, without a restart of anything.</summary>
public class RealVmTests(Stack stack)
{
    private const string Image = "infra/obj/vm-image";
    private const string States = "infra/obj/vm-states";

    /// <summary>It is in the lowest class of the whole machine, and may be emulated.</summary>
    private const int Patience = 240;

    [Fact]
    public async Task A_container_in_a_real_vm_answers_through_the_gateway_and_moves_before_the_vm_goes()
    {
        var file = Path.Combine(stack.Home, "config", "agent-1.json");
        var before = await File.ReadAllTextAsync(file);
        var process = await stack.ProcessOf("agent-1");
        ShareStates();
        try
        {
            await File.WriteAllTextAsync(file, WithRealVm(before, Vms(await Server())));
            await Stack.Eventually(async () => Vms(await Server()).Count == 3, "the real VM is there");
            await stack.Hosting("cordon", "eu-1/srv-01/vm-1");
            await stack.Hosting("cordon", "eu-1/srv-01/vm-2");
            await Stack.Eventually(async () => (bool)Vms(await Server()).Single(vm => (string?)vm["name"] == "real-1")["ready"]!, "it is up", Patience);
            await stack.Put("real", new { image = "hosting/hello:1", port = 8080, cpuMillis = 50, memoryMiB = 32, healthCheck = new { timeoutSeconds = 5, intervalSeconds = 5, gracePeriodSeconds = 240 } });
            await Stack.Eventually(async () => (string?)(await stack.Get("apps/real"))["phase"] == "Running", "the app runs in it", Patience);
            var first = Assert.Single((await stack.Get("apps/real/containers")).AsArray())!;
            Assert.Equal("real-1", (string?)first["vm"]);
            using (var answer = await stack.GetApp("real"))
                Assert.StartsWith($"Hello from {first["id"]}", await answer.Content.ReadAsStringAsync());

            await stack.Hosting("uncordon", "eu-1/srv-01/vm-1");
            await File.WriteAllTextAsync(file, before);
            while (Vms(await Server()).Count == 3)
            {
                using var answer = await stack.GetApp("real");
                Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} while its VM leaves");
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
            Assert.Equal("vm-1", (string?)Assert.Single((await stack.Get("apps/real/containers")).AsArray())!["vm"]);
            Assert.Equal(process, await stack.ProcessOf("agent-1"));
        }
        finally
        {
            await File.WriteAllTextAsync(file, before);
            await stack.Hosting("uncordon", "eu-1/srv-01/vm-1");
            await stack.Hosting("uncordon", "eu-1/srv-01/vm-2");
            await stack.Run("infra/hosting", "delete", "real", "--wait");
        }
        await Stack.Eventually(() => Task.FromResult(!Directory.Exists(Path.Combine(stack.Home, "agent-1/vms/real-1"))), "nothing of it is left");
    }

    /// <summary>A first boot takes long: one is enough for all tests of a checkout.</summary>
    private void ShareStates()
    {
        Directory.CreateDirectory(Path.Combine(Checkout.Root, States));
        Directory.CreateSymbolicLink(Path.Combine(stack.Home, "agent-1/vm-states"), Path.Combine(Checkout.Root, States));
    }

    /// <summary>The two that it has, and one of the size that the agent's own tests have.</summary>
    private static string WithRealVm(string configuration, IEnumerable<JsonNode> present)
    {
        var root = JsonNode.Parse(configuration)!;
        root["Agent"]!["VmImage"] = Path.Combine(Checkout.Root, Image);
        root["Agent"]!["Vms"] = new JsonArray(
            [.. present.Select(vm => new JsonObject { ["Name"] = (string?)vm["name"], ["CpuMillis"] = (int)vm["cpuMillis"]!, ["MemoryMiB"] = (int)vm["memoryMiB"]! }),
            new JsonObject { ["Name"] = "real-1", ["Driver"] = "qemu", ["CpuMillis"] = 2000, ["MemoryMiB"] = 128, ["DiskMiB"] = 1024 }]);
        return root.ToJsonString();
    }

    private Task<JsonNode> Server() => stack.Get("servers/eu-1/srv-01");

    private static List<JsonNode> Vms(JsonNode server) => [.. server["vms"]!.AsArray().Select(vm => vm!)];
}
